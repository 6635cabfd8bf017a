"""Clients that are slow, greedy, or no HTTP clients at all; and a crowd of them."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from lvm.service.limits import Limits

from .conftest import RunningService, five_vectors
from .hostile import malformed

GOOD = json.dumps({"context_vectors": five_vectors()}).encode()
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def talk(service: RunningService, sent: bytes) -> bytes:
    """All that comes back until the service closes the connection."""
    with service.connect() as connection:
        connection.sendall(sent)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def answers(received: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Status and JSON body of each response in a stream of them."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        lengths = [
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        ]
        body, received = rest[: lengths[0]], rest[lengths[0] :]
        found.append((int(head.split()[1]), json.loads(body)))
    return found


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT example.org:80 HTTP/1.1\r\nHost: example.org\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_one_sentence_and_the_end(
    service: RunningService, sent: bytes
) -> None:
    ((status, document),) = answers(talk(service, sent))
    assert status == 400
    assert list(document) == ["error"]


def test_a_request_that_comes_too_slowly_is_given_up(serve: Callable[..., RunningService]) -> None:
    service = serve(Limits(read_seconds=0.2, drain_seconds=0.05))
    for sent in (b"POST /predict HT", HEAD + b"Content-Length: 9\r\n\r\n{"):
        ((status, document),) = answers(talk(service, sent))
        assert status == 408
        assert "0.2 seconds" in document["error"]
    assert talk(service, b"") == b""  # a connection that never says anything


def test_a_slow_body_after_its_answer_does_not_hold_the_connection(
    serve: Callable[..., RunningService],
) -> None:
    service = serve(Limits(read_seconds=0.2, drain_seconds=0.05))
    sent = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
    statuses = [status for status, _ in answers(talk(service, sent))]
    assert statuses == [404, 408]


def until_cut_off(connection: socket.socket, sent: bytes) -> int:
    """Sends until that fails; returns how often it went well."""
    times = 0
    try:
        while True:
            connection.sendall(sent)
            times += 1
    except ConnectionError:
        return times


def test_a_client_that_sends_on_without_reading_is_cut_off(service: RunningService) -> None:
    with service.connect() as connection:
        until_cut_off(connection, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
    with service.client() as client:
        assert client.health()["status"] == "ok"


def test_a_client_that_does_not_read_its_answers_is_cut_off(
    serve: Callable[..., RunningService],
) -> None:
    service = serve(Limits(read_seconds=0.3, pipelined=10_000, drain_seconds=0.05))
    with service.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 3_000)
        connection.recv(1)
        while service.server.server_state.connections:
            os.sched_yield()
    with service.client() as client:
        assert client.health()["status"] == "ok"


def test_a_head_without_end_is_refused(service: RunningService) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(200))
    for sent in (HEAD + lines, b"GET /" + b"a" * 200_000, HEAD + b"X: " + b"z" * 200_000):
        ((status, document),) = answers(talk(service, sent))
        assert status == 431
        assert "head" in document["error"]


def test_chunks_of_one_byte_do_not_get_around_the_limit(
    serve: Callable[..., RunningService],
) -> None:
    service = serve(Limits(body_bytes=5_000, wire_bytes=20_000, drain_seconds=0.05))
    body = b"1\r\n \r\n" * 6_000
    ((status, _),) = answers(talk(service, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body))
    assert status == 413


def test_the_answer_to_a_body_that_is_too_large_is_not_lost_in_a_reset(
    service: RunningService,
) -> None:
    with service.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 50000000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" " * 100_000)
        ((status, document),) = answers(read_all(connection))
    assert status == 413
    assert "1000000 bytes" in document["error"]


def test_a_client_that_ends_its_side_still_gets_its_answer(service: RunningService) -> None:
    with service.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD)
        connection.shutdown(socket.SHUT_WR)
        ((status, document),) = answers(read_all(connection))
    assert status == 200
    assert len(document["vector"]) == 16


def test_pipelined_requests_are_answered_in_their_order(service: RunningService) -> None:
    one = HEAD + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD
    last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert [status for status, _ in answers(talk(service, one + one + last))] == [200, 200, 404]


def test_more_connections_than_allowed_are_turned_away(
    serve: Callable[..., RunningService],
) -> None:
    service = serve(Limits(connections=2, drain_seconds=0.05))
    with service.connect() as first, service.connect() as second:
        for connection in (first, second):  # both are surely accepted
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        ((status, _),) = answers(talk(service, b""))
    assert status == 503


def test_beyond_the_queue_requests_are_told_to_come_back(
    serve: Callable[..., RunningService],
) -> None:
    service = serve(Limits(batch=1, waiting=1, drain_seconds=0.05))
    statuses: Counter[int] = Counter()
    heads: list[bytes] = []
    sent = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD
    ready = threading.Barrier(20)

    def ask() -> None:
        ready.wait()
        received = talk(service, sent)
        heads.append(received.partition(b"\r\n\r\n")[0].lower())
        statuses[answers(received)[0][0]] += 1

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses[200] + statuses[429] == 20
    assert statuses[200] >= 1
    assert statuses[429] >= 1
    assert sum(b"retry-after: 1" in head for head in heads) == statuses[429]


@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.heavy)])
def test_malformed_requests_break_nothing_and_leave_no_memory_behind(
    service: RunningService, count: int
) -> None:
    process = psutil.Process()
    draw = random.Random(0)
    statuses: Counter[int] = Counter()
    for number in range(count):
        if number == count // 3:
            before = process.memory_info().rss
        with service.connect() as connection:
            connection.sendall(malformed(draw))
            connection.shutdown(socket.SHUT_WR)
            received = read_all(connection)
        statuses[int(received.split(maxsplit=2)[1]) if received else 0] += 1
    grown = (process.memory_info().rss - before) / 2**20
    assert [status for status in statuses if status >= 500] == []
    assert statuses[0] < count / 2  # broken off by the client itself
    assert grown < 30
    with service.client() as client:
        assert len(client.predict(five_vectors())) == 16
