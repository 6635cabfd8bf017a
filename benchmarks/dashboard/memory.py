"""Three days of ten events a second, replayed fast into a dashboard that watches: does it grow?

Hours pass in a second of it: what a dashboard fills once (caches of drawn lines, up to their
limits) takes it the first of the days, so that is what the last is held against."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.dashboard.logs import LogWriter, log_of
from benchmarks.dashboard.program import Program
from benchmarks.figures import Figure

LIMIT = 1.05
"""Memory at most on the third day, in multiples of that on the first."""
DAY = 24
HOURS = 3 * DAY
EVENTS, QUICK_EVENTS = 36_000, 3_600
"""Of an hour, which is an epoch here; --quick replays every tenth."""
STILL = 1.0
"""Seconds without work after which the dashboard has made all its screens."""


def measure(*, quick: bool) -> Iterator[Figure]:
    events = QUICK_EVENTS if quick else EVENTS
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "lvm.toml").write_text("")
        writer = LogWriter(log_of(root), epochs=HOURS, batches=events)
        sizes = []
        with Program("lvm_tui", "watch", folder=root) as program:
            process = psutil.Process(program.pid)
            program.wait_for("Dashboard")
            _wait_until_still(process, program)
            for hour in range(1, HOURS + 1):
                writer.epoch()
                program.wait_for(f"epoch {hour}/{HOURS}: train")
                sizes.append(process.memory_info().rss / 2**20)
        early, late = max(sizes[:DAY]), max(sizes[-DAY:])
        beside = (
            f"{early:.0f} → {late:.0f} MiB, {HOURS * events:,} events; "
            f"after the first hour {sizes[0]:.0f}"
        )
        name = "memory on the third day ÷ on the first"
        yield Figure(name, late / early, "", LIMIT, False, beside)


def _wait_until_still(process: psutil.Process, program: Program) -> None:
    """The screens that it makes in idle moments are its own size, not that of the day."""
    while True:
        before, begun = sum(process.cpu_times()[:2]), time.perf_counter()
        program.take(STILL)
        used = sum(process.cpu_times()[:2]) - before
        if used < 0.05 * (time.perf_counter() - begun):
            return
