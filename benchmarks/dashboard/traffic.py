"""Bytes to the terminal: in steady training, in calm mode, and when nothing changes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.dashboard.logs import LogWriter, log_of
from benchmarks.dashboard.program import Program
from benchmarks.dashboard.workshop import make_project
from benchmarks.figures import Figure

STEADY, CALM = 10.0, 1.0
"""KB a second."""
SIZES = ((120, 40), (80, 24), (300, 100))
SECONDS, QUICK_SECONDS = 60.0, 20.0
SETTLING = 6.0
"""Seconds from the first curve on, in which the picture is still made."""


def measure(*, quick: bool) -> Iterator[Figure]:
    seconds = QUICK_SECONDS if quick else SECONDS
    yield _still(seconds / 3)
    for columns, rows in SIZES[: 1 if quick else None]:
        for calm in (False, True):
            yield from _measure(columns, rows, seconds, calm=calm)


def _measure(columns: int, rows: int, seconds: float, *, calm: bool) -> Iterator[Figure]:
    env = {"LVM_TUI_ANIMATIONS": "none"} if calm else {}
    with tempfile.TemporaryDirectory() as name:
        make_project(Path(name))
        with Program("lvm_tui", folder=Path(name), columns=columns, rows=rows, env=env) as program:
            whole = _until_training(program)
            before = program.written
            program.take(seconds)
            rate = (program.written - before) / seconds / 1e3
            mode = "calm mode" if calm else "steady training"
            beside = f"{rate * 1e3 / whole:.2f} whole pictures of {whole / 1e3:.0f} KB a second"
            limit = CALM if calm else STEADY
            yield Figure(f"{mode}, {columns} × {rows}", rate, "KB/s", limit, False, beside)
            if not calm:
                yield _paused(program, seconds / 3, f"{columns} × {rows}")


def _until_training(program: Program) -> int:
    """Bytes until a first curve was on the screen: the pictures of the start."""
    program.wait_for("▶ training")
    program.take(SETTLING)
    before = program.written
    program.press("2")
    program.take(1.0)
    program.press("1")
    program.take(1.5)
    return max((program.written - before) // 2, 1)


def _paused(program: Program, seconds: float, size: str) -> Figure:
    program.press(" ")
    program.wait_for("PAUSED")
    program.take(SETTLING)
    before = program.written
    program.take(seconds)
    rate = (program.written - before) / seconds / 1e3
    return Figure(f"paused, {size}", rate, "KB/s", beside="the machine's gauges, where they move")


def _still(seconds: float) -> Figure:
    """A run that has ended."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "lvm.toml").write_text("")
        writer = LogWriter(log_of(Path(name)), epochs=5, batches=200)
        for _ in range(5):
            writer.epoch()
        writer.finish()
        with Program("lvm_tui", "watch", folder=Path(name)) as program:
            program.wait_for("completed after")
            program.take(SETTLING)
            before = program.written
            program.take(seconds)
            rate = (program.written - before) / seconds / 1e3
    return Figure("nothing changes", rate, "KB/s", 0.0)
