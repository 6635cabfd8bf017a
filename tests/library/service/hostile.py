"""Requests as an attacker or a broken client sends them, drawn at random, as bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from .conftest import DIM, five_vectors

GOOD = json.dumps({"context_vectors": five_vectors()}).encode()
PATHS = [b"/predict", b"/chat", b"/health", b"/metrics", b"/openapi.json", b"/", b"/../x", b"/%00"]
VERBS = [b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH"]
VALUES: list[object] = [
    *(None, True, "", "x" * 1000, "\u2028", 0, -1, 1e308, -1e-308, 2**63, 2**64 - 1),
    *([], {}, [[]], [{}], [None] * 5, [[0.0] * DIM] * 5, [[1e39] * DIM] * 5, {"content": 3}),
]


def _document(draw: random.Random) -> bytes:
    keys = ["context_vectors", "messages", "temperature", "seed", "x"]
    return json.dumps({draw.choice(keys): draw.choice(VALUES) for _ in range(3)}).encode()


def _changed(draw: random.Random) -> bytes:
    """A good body with some bytes that are not."""
    content = bytearray(GOOD)
    for _ in range(draw.randint(1, 5)):
        content[draw.randrange(len(content))] = draw.randrange(256)
    return bytes(content)


def _nested(draw: random.Random) -> bytes:
    return draw.choice([b"[", b'{"a":', b'{"messages":[']) * draw.randint(1, 50_000)


def _noise(draw: random.Random) -> bytes:
    return draw.randbytes(draw.randint(0, 3000))


def _digits(draw: random.Random) -> bytes:
    return b'{"context_vectors": ' + b"9" * draw.randint(1, 100_000) + b"}"


BODIES: list[Callable[[random.Random], bytes]] = [_document, _changed, _nested, _noise, _digits]


def malformed(draw: random.Random) -> bytes:
    """One request; about one in eight is not even HTTP."""
    if draw.random() < 0.06:
        return _noise(draw) + b"\r\n\r\n"
    body = draw.choice(BODIES)(draw)
    head = draw.choice(VERBS) + b" " + draw.choice(PATHS) + b" HTTP/1.1\r\nHost: x\r\n"
    if draw.random() < 0.7:
        head = b"POST " + draw.choice(PATHS[:2]) + b" HTTP/1.1\r\nHost: x\r\n"
    kind = draw.choice([b"application/json"] * 5 + [b"text/plain", b"\xff", b"application/json;x"])
    head += b"Content-Type: " + kind + b"\r\nConnection: close\r\n"
    match draw.randrange(6):
        case 0:
            return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body
        case 1:
            return head + b"Content-Length: %d\r\n\r\n" % (len(body) + 10) + body
        case 2:
            end = b"\r\n0\r\n\r\n"
            return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + end
        case _:
            return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
