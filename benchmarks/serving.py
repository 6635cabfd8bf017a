"""/predict in micro-batches against one request at a time; memory under malformed requests.

    python -m benchmarks.serving [--models transformer gru lstm amn] [--seconds 8] [--clients 64]

Each model is served by a process of its own (`lvm serve`, CPU, width 768, fresh weights); the
clients are another process on the same machine and take their share of its cores. In one run, in
turns: one keep-alive client that waits for each answer; then all clients likewise. The second
target is the time under that load. At last 10,000 malformed requests: no 5xx, memory flat.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil

DIM = 768
SPEED_UP, P99_MS = 5.0, 50.0
MALFORMED, MOST_GROWTH_MB = 10_000, 30.0
"""How much resident memory may grow from the 2,000th to the last; the first fill its pools."""


def body() -> bytes:
    rows = np.random.default_rng(0).normal(size=(5, DIM))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return json.dumps({"context_vectors": rows.astype(np.float32).tolist()}).encode()


@contextlib.contextmanager
def served(model_type: str, folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """A service of fresh weights: its port and its process."""
    path = folder / f"{model_type}.pt"
    making = (
        "import sys, pathlib; from lvm.models import build; "
        "from lvm.models.checkpoint import save_checkpoint as save; "
        f"m = build(sys.argv[1], {DIM}); "
        "save(pathlib.Path(sys.argv[2]), model_type=sys.argv[1], config=m.config, "
        "state_dict=m.state_dict(), epoch=1, train_loss=0., train_cosine=0., val_loss=0., "
        "val_cosine=0.)"
    )
    subprocess.run([sys.executable, "-c", making, model_type, str(path)], check=True)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        options = ["--fd", "0", "--model", str(path), "--device", "cpu"]
        process = subprocess.Popen(
            [sys.executable, "-m", "lvm", "serve", model_type, *options],
            stdin=listener.fileno(),
            stderr=subprocess.DEVNULL,
        )
        port = listener.getsockname()[1]
    try:
        asyncio.run(load(port, 1, 1.0))  # answers, and is warm
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


class Client(asyncio.Protocol):
    """Sends, waits for the whole answer, sends again, until `end`; as little work as can be."""

    def __init__(self, request: bytes, end: float, times: list[float]) -> None:
        self._request, self._end, self._times = request, end, times
        self._received = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._received.clear()
        self._begun = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n") + 4
        if head < 4:
            return
        said = self._received[:head].lower().partition(b"content-length: ")[2]
        if len(self._received) < head + int(said.split()[0]):
            return
        if not self._received.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(SystemExit(f"not answered: {bytes(self._received[:200])!r}"))
            return
        now = time.perf_counter()
        self._times.append(now - self._begun)
        if now < self._end:
            self._send()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(SystemExit(f"the service closed the connection: {exc}"))


async def load(port: int, clients: int, seconds: float) -> list[float]:
    """The time of each request, from its first byte sent to the last byte of its answer."""
    content = body()
    request = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(content)
    ) + content
    times: list[float] = []
    end = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    connected = [
        await loop.create_connection(lambda: Client(request, end, times), "127.0.0.1", port)
        for _ in range(clients)
    ]
    await asyncio.gather(*(client.done for _, client in connected))
    return times


def load_process(port: int, clients: int, seconds: float) -> list[float]:
    """`load` in a process of its own, so that measuring does not share our interpreter."""
    numbers = map(str, (port, clients, seconds))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving", "--load", *numbers],
        check=True,
        capture_output=True,
    )
    times: list[float] = json.loads(done.stdout)
    return times


def p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98] * 1000


def measure(model_type: str, folder: Path, clients: int, seconds: float) -> bool:
    rates: dict[int, list[float]] = {1: [], clients: []}
    slow: dict[int, list[float]] = {1: [], clients: []}
    with served(model_type, folder) as (port, _):
        for _ in range(3):  # in turns, so that a busy moment of the machine meets both
            for count in rates:
                times = load_process(port, count, seconds / 3)
                rates[count].append(len(times) / (seconds / 3))
                slow[count].append(p99(times))
    one, many = statistics.median(rates[1]), statistics.median(rates[clients])
    late = statistics.median(slow[clients])
    kept = many / one >= SPEED_UP and late <= P99_MS
    print(
        f"{model_type:12} {one:8.0f}/s {statistics.median(slow[1]):8.1f} ms {many:12.0f}/s "
        f"{late:8.1f} ms {many / one:8.1f} ×   {'✓' if kept else '✗'}"
    )
    return kept


def hostile(folder: Path) -> bool:
    """Malformed requests, one after the other, and what they leave behind."""
    from tests.library.service.hostile import malformed

    statuses: Counter[int] = Counter()
    draw = random.Random(0)
    with served("gru", folder) as (port, process):
        for number in range(MALFORMED):
            if number == MALFORMED // 5:
                before = process.memory_info().rss
            with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                connection.sendall(malformed(draw))
                connection.shutdown(socket.SHUT_WR)
                received = b""
                while part := connection.recv(65536):
                    received += part
            statuses[int(received.split(maxsplit=2)[1]) if received else 0] += 1
        grown = (process.memory_info().rss - before) / 2**20
        alive = bool(asyncio.run(load(port, 1, 0.1)))
    broken = sum(count for status, count in statuses.items() if status >= 500)
    kept = alive and not broken and grown <= MOST_GROWTH_MB
    told = ", ".join(f"{status or 'none'}: {count}" for status, count in sorted(statuses.items()))
    print(f"\n{MALFORMED} malformed requests   {told}")
    print(f"5xx {broken}, memory {grown:+.1f} MB, still answers: {alive}   {'✓' if kept else '✗'}")
    return kept


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["transformer", "gru", "lstm", "amn"])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=9.0)
    parser.add_argument("--no-hostile", action="store_true")
    parser.add_argument("--load", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.load:
        port, clients, seconds = arguments.load
        print(json.dumps(asyncio.run(load(int(port), int(clients), float(seconds)))))
        return 0
    size = len(body())
    print(f"{os.cpu_count()} cores, {arguments.clients} clients, width {DIM}, body {size} bytes")
    print(f"{'':12} {'one':>10} {'p99':>11} {'together':>14} {'p99':>11} {'':>8}     need "
          f"{SPEED_UP:g} ×, {P99_MS:g} ms")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = [
            measure(model, folder, arguments.clients, arguments.seconds)
            for model in arguments.models
        ]
        if not arguments.no_hostile:
            kept.append(hostile(folder))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
