"""How much a service takes on, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    body_bytes: int = 1_000_000
    """Of a request's body, also of one that does not say its length. Five vectors of 768 numbers
    take about 80 KB."""
    head_bytes: int = 64 * 1024
    """Of a request line with its headers."""
    wire_bytes: int = 8_000_000
    """Of one request as it travels: a body in chunks of one byte is six times as long."""
    batch: int = 64
    """Predictions in one forward pass."""
    gather_seconds: float = 0.0
    """How long the first of a batch waits for others when the model is idle. While the model is
    busy, requests gather by themselves."""
    waiting: int = 256
    """Predictions that wait for the model; the next is answered with 429."""
    chats: int = 8
    """Messages that are answered or wait at the same time; the next is answered with 429."""
    connections: int = 1000
    """Open at the same time; the next is answered with 503."""
    pipelined: int = 32
    """Requests that a client may send on a connection before it has read their answers; with one
    more the connection is cut."""
    read_seconds: float = 15.0
    """From the first byte of a request to its last; also until the first byte of a connection, and
    while a client does not read its answer."""
    predict_seconds: float = 30.0
    """Until a prediction is given up with 503."""
    chat_seconds: float = 120.0
    """Likewise for a chat answer: an encoder and a decoder may be asked on the way."""
    keep_alive_seconds: float = 75.0
    """An idle connection is kept so long: longer than usual clients keep theirs, so that it is the
    client that closes it and no request meets a closing connection."""
    drain_seconds: float = 2.0
    """On the way out, an idle connection is still read for so long."""
    stop_seconds: float = 20.0
    """On the way out, what is under way may take so long; then it is broken off. Who kills services
    that do not end must wait longer."""
    linger_seconds: float = 2.0
    """After the last answer on a connection, what the client still sends is read and dropped for so
    long: closing at once would reset the connection and could take the answer with it."""
