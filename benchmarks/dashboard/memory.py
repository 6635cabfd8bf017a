"""A day of ten events a second, replayed fast into a dashboard that watches: does it grow?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.dashboard.logs import LogWriter, log_of
from benchmarks.dashboard.program import Program
from benchmarks.figures import Figure

LIMIT = 1.05
"""Memory after the day, in multiples of that after its first quarter."""
HOURS = 24
EVENTS, QUICK_EVENTS = 36_000, 3_600
"""Of an hour, which is an epoch here; --quick replays every tenth."""


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
            for hour in range(1, HOURS + 1):
                writer.epoch()
                program.wait_for(f"epoch {hour}/{HOURS}: train")
                sizes.append(process.memory_info().rss / 2**20)
        early, late = max(sizes[: HOURS // 4]), max(sizes[-HOURS // 4 :])
        beside = f"{early:.0f} → {late:.0f} MiB, {HOURS * events:,} events"
        yield Figure("memory after a day ÷ after 6 hours", late / early, "", LIMIT, False, beside)
