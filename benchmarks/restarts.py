"""Requests that fail while a service is restarted with another model under 16 keep-alive clients.

    python -m benchmarks.restarts [--seconds 60] [--clients 16] [--restarts 3]

A real supervisord and real `lvm serve` processes in a temporary project. The link that the service
loads is swapped before each restart. At the end the same load meets one plain stop and start, for
comparison: what the held socket and the overlap save.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lvm.config import ServiceSettings, ServicesSettings
from lvm.service.manager import Manager, open_manager

NAME = "gru"
DIM = 768
TIMEOUT = 60.0
"""Seconds that a client waits; a request that takes longer has failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    begun: float
    ended: float
    failure: str = ""
    """"" = 200 with a vector."""


@dataclass
class Load:
    """Clients that keep their connection and send the next request when they have an answer."""

    port: int
    clients: int
    answers: list[Answer] = field(default_factory=list)
    _enough: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[Load]:
        threads = [threading.Thread(target=self._send) for _ in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._enough.set()
            for thread in threads:
                thread.join()

    def _send(self) -> None:
        rows = np.random.default_rng(0).normal(size=(5, DIM))
        body = json.dumps({"context_vectors": rows.tolist()}).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        while not self._enough.is_set():
            begun, failure = time.perf_counter(), ""
            try:
                connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                said = response.read()
                if response.status != 200 or b'"vector"' not in said:
                    failure = f"{response.status} {said[:80]!r}"
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)
                connection.close()
                self._enough.wait(0.05)  # a refused client would spin
            self.answers.append(Answer(begun, time.perf_counter(), failure))
        connection.close()


@dataclass(frozen=True, slots=True)
class Window:
    """What the clients saw from the beginning of a change to its end and the first answer then."""

    seconds: float
    gap: float
    """Longest time in which no client got an answer."""
    slowest: float
    failures: int


def window(answers: Sequence[Answer], begun: float, ended: float) -> Window:
    seen = [a for a in answers if a.ended >= begun and a.begun <= ended]
    good = sorted(a.ended for a in seen if not a.failure)
    moments = [begun, *good]
    return Window(
        seconds=ended - begun,
        gap=max((b - a for a, b in itertools.pairwise(moments)), default=ended - begun),
        slowest=max((a.ended - a.begun for a in seen), default=0.0),
        failures=sum(bool(a.failure) for a in seen),
    )


def write_model(path: Path, seed: int) -> None:
    import torch

    from lvm.models import build
    from lvm.models.checkpoint import save_checkpoint

    torch.manual_seed(seed)
    model = build(NAME, DIM)
    save_checkpoint(
        path,
        model_type=NAME,
        config=model.config,
        state_dict=model.state_dict(),
        epoch=1,
        train_loss=0.1,
        train_cosine=0.5,
        val_loss=0.1,
        val_cosine=0.5,
    )


def put_link(link: Path, target: Path) -> None:
    """In one step, as a promotion does."""
    beside = link.with_suffix(".new")
    beside.symlink_to(target.name)
    beside.replace(link)


def free_port() -> int:
    """Below the ports that clients are given: one that retries could get this very port."""
    for port in range(20_000, 30_000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise SystemExit("no free port")


def timed(change: Callable[[], None]) -> tuple[float, float]:
    begun = time.perf_counter()
    change()
    return begun, time.perf_counter()


def measure(root: Path, seconds: float, clients: int, restarts: int) -> int:
    models = root / "artifacts/lvm/models"
    models.mkdir(parents=True)
    for seed in range(2):
        write_model(models / f"{seed}.pt", seed)
    link = models / f"{NAME}_v0.pt"
    put_link(link, models / "0.pt")
    port = free_port()
    (root / "lvm.toml").write_text(f"[services.{NAME}]\nport = {port}\ndevice = 'cpu'\n")
    settings = ServicesSettings(start_seconds=120, named={NAME: ServiceSettings(port=port)})
    manager = open_manager(root, settings)
    manager.start([NAME])
    try:
        return under_load(manager, link, port, seconds, clients, restarts)
    finally:
        manager.stop([NAME])


def under_load(
    manager: Manager, link: Path, port: int, seconds: float, clients: int, restarts: int
) -> int:
    served = []
    changes = []
    with Load(port, clients).running() as load:
        begun = time.perf_counter()
        for number in range(1, restarts + 1):
            time.sleep(max(0.0, begun + seconds * number / (restarts + 1) - time.perf_counter()))
            put_link(link, link.parent / f"{number % 2}.pt")
            changes.append(timed(lambda: manager.restart([NAME])))
            served.append(manager.status([NAME])[0].current)
        time.sleep(max(0.0, begun + seconds - time.perf_counter()))
    with Load(port, clients).running() as plain:
        time.sleep(2)
        stopped = timed(lambda: stop_and_start(manager))
        time.sleep(1)
    right = all(served)
    return report(load, changes, plain, stopped, right)


def stop_and_start(manager: Manager) -> None:
    manager.stop([NAME])
    manager.start([NAME])


def report(
    load: Load,
    changes: Sequence[tuple[float, float]],
    plain: Load,
    stopped: tuple[float, float],
    right: bool,
) -> int:
    good = sorted(a.ended - a.begun for a in load.answers if not a.failure)
    failures = [a for a in load.answers if a.failure]
    percent = statistics.quantiles(good, n=1000)
    print(f"{load.clients} keep-alive clients, {len(load.answers)} requests")
    print(f"failed requests      {len(failures)}   limit 0 {'✗' if failures else '✓'}")
    for failure in failures[:5]:
        print(f"    {failure.failure}")
    print(
        f"latency ms           p50 {percent[499] * 1e3:.1f}   p99 {percent[989] * 1e3:.1f}   "
        f"p99.9 {percent[998] * 1e3:.1f}   slowest {good[-1] * 1e3:.1f}"
    )
    print(f"{'':20} took s   longest time without an answer s   slowest request s   failed")
    windows = [window(load.answers, *change) for change in changes]
    baseline = window(plain.answers, *stopped)
    for number, each in enumerate(windows, start=1):
        row(f"restart {number}", each)
    row("plain stop and start", baseline)
    longest = max(each.gap for each in windows)
    print(f"without an answer: a plain stop and start takes {baseline.gap / longest:.0f} × as long")
    print(f"after each restart the new file was served: {'✓' if right else '✗'}")
    return 0 if right and not failures else 1


def row(name: str, each: Window) -> None:
    print(f"{name:20} {each.seconds:6.1f} {each.gap:30.2f} {each.slowest:19.2f} {each.failures:8}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--restarts", type=int, default=3)
    given = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder), given.seconds, given.clients, given.restarts)


if __name__ == "__main__":
    sys.exit(main())
