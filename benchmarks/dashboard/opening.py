"""A log of a million events: from the start of `lvm-tui watch` to the whole run on the screen."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.dashboard.logs import RUN, LogWriter, log_of
from benchmarks.dashboard.program import Program
from benchmarks.figures import Figure
from lvm.runs.eventlog import EventReader
from lvm_tui.live import Tail

LIMIT = 2.0
EVENTS, QUICK_EVENTS = 1_000_000, 200_000
EPOCHS = 200
TIMES, QUICK_TIMES = 3, 1


def measure(*, quick: bool) -> Iterator[Figure]:
    events = QUICK_EVENTS if quick else EVENTS
    limit = LIMIT * events / EVENTS
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "lvm.toml").write_text("")
        writer = LogWriter(log_of(root), epochs=EPOCHS, batches=events // EPOCHS)
        for _ in range(EPOCHS):
            writer.epoch()
        writer.finish()
        plain = min(_plain_seconds(log_of(root)) for _ in range(QUICK_TIMES if quick else TIMES))
        bulk = min(_bulk_seconds(log_of(root)) for _ in range(QUICK_TIMES if quick else TIMES))
        beside = f"{bulk / plain:.2f} × json.loads of every line ({plain:.2f} s)"
        name = f"log of {events:,} events read and folded"
        yield Figure(name, bulk, "s", limit, beside=beside)
        opened = [_opened(root) for _ in range(QUICK_TIMES if quick else TIMES)]
        painted, whole = min(opened, key=lambda pair: pair[1])
        beside = f"of it {painted:.2f} s to the first paint"
        # a smaller log does not make the start of the program shorter: no limit there
        allowed = None if quick else limit
        yield Figure(
            "the same in the dashboard, from process start", whole, "s", allowed, False, beside
        )


def _plain_seconds(path: Path) -> float:
    begun = time.perf_counter()
    with path.open("rb") as file:
        for line in file:
            json.loads(line)
    return time.perf_counter() - begun


def _bulk_seconds(path: Path) -> float:
    begun = time.perf_counter()
    tail = Tail(EventReader(path), RUN)
    tail.read()
    while not tail.at_end:
        tail.read()
    return time.perf_counter() - begun


def _opened(root: Path) -> tuple[float, float]:
    """Seconds to the first paint, and to the end of the run on the screen."""
    with Program("lvm_tui", "watch", folder=root) as program:
        painted = program.wait_for("Dashboard") - program.started
        return painted, program.wait_for("completed after") - program.started
