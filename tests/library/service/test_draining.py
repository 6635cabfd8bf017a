"""A service that stops or is replaced loses no request. Its socket is held by somebody else."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lvm.service.client import ServiceClient
from lvm.service.limits import Limits
from lvm.service.serving import listen

from .conftest import RunningService, write_checkpoint
from .hammer import BODY, Hammer

CLIENTS = 16


@contextmanager
def serving(listener: socket.socket, checkpoint: Path) -> Iterator[subprocess.Popen[str]]:
    """`lvm serve` with the socket as its standard input, as supervisord starts it."""
    command = [sys.executable, "-m", "lvm", "serve", "gru", "--fd", "0", "--model", str(checkpoint)]
    process = subprocess.Popen(
        [*command, "--device", "cpu"],
        stdin=listener,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_16_keep_alive_clients_lose_nothing_when_the_service_is_replaced_under_them(
    tmp_path: Path,
) -> None:
    checkpoints = [write_checkpoint(tmp_path / f"{seed}.pt", seed=seed) for seed in range(3)]
    with listen("127.0.0.1", 0) as listener, ExitStack() as stack:
        hammer = Hammer(listener.getsockname()[1])
        process = stack.enter_context(serving(listener, checkpoints[0]))
        with ServiceClient("127.0.0.1", hammer.port, timeout=60) as client:
            served = [client.health()["sha256"]]
            hammer.start(CLIENTS)
            for checkpoint in checkpoints[1:]:
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=30) == 0
                process = stack.enter_context(serving(listener, checkpoint))
                served.append(client.health()["sha256"])  # waits until the model is loaded
        hammer.stop()
    assert hammer.failures == []
    assert hammer.answered > 10 * CLIENTS
    assert len(set(served)) == 3


def test_an_idle_connection_is_still_answered_while_the_service_drains(
    serve: Callable[..., RunningService],
) -> None:
    service = serve(Limits(drain_seconds=20))
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    connection.request("GET", "/health")
    first = connection.getresponse()
    first.read()
    service.server.should_exit = True
    while not service.server.server_state.draining:
        os.sched_yield()
    connection.request("POST", "/predict", BODY, {"Content-Type": "application/json"})
    last = connection.getresponse()
    assert len(json.loads(last.read())["vector"]) > 0
    assert (first.status, first.headers["connection"]) == (200, None)
    assert (last.status, last.headers["connection"]) == (200, "close")


def test_a_connection_that_stays_idle_ends_with_the_drain(
    serve: Callable[..., RunningService],
) -> None:
    service = serve(Limits(drain_seconds=0.05))
    with service.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        service.server.should_exit = True
        rest = b""
        while part := connection.recv(4096):
            rest += part
    assert rest == b"" or rest.endswith(b"}")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "not a checkpoint"), (b"\x80\x02}q\x00.", "not a checkpoint")],
    ids=["empty", "a pickle"],
)
def test_a_bad_checkpoint_never_answers(tmp_path: Path, content: bytes, says: str) -> None:
    bad = tmp_path / "bad.pt"
    bad.write_bytes(content)
    with listen("127.0.0.1", 0) as listener, serving(listener, bad) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert says in said
    assert "answering" not in said
    assert "Traceback" not in said
