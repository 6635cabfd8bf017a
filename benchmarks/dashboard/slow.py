"""A terminal that reads two kilobytes a second: the program goes over to calm by itself, the
training does not feel it, and nothing piles up."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.dashboard.program import Program
from benchmarks.dashboard.workshop import make_project
from benchmarks.figures import Figure

RATE = 2_000
"""Bytes a second that the terminal reads."""
SECONDS, QUICK_SECONDS = 90.0, 45.0
CALM_WITHIN = 45.0
"""Seconds after the first curve, in which the program must have become calm."""
GROWTH = 1.05
THROUGHPUT = 0.9
"""Of the same training before a terminal that reads all. Below the limit of `throughput`, since the
two are measured one after the other."""
STALE = 30.0
"""Seconds that what is read may be behind what is so."""


def measure(*, quick: bool) -> Iterator[Figure]:
    seconds = QUICK_SECONDS if quick else SECONDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder)
        with Program("lvm_tui", folder=folder) as program:
            program.wait_for("▶ training")
            program.wait_for("smooth 0.9")
            log = _Log(folder)
            for _, piece in program.take(seconds / 3):
                program.draw(piece)
            fast = log.batches_per_second()
            process = psutil.Process(program.pid)
            early, begun = process.memory_info().rss, time.perf_counter()
            calm = program.look_slowly(seconds, RATE, lambda text: "slow line" in text)
            slow = log.batches_per_second()
            late = process.memory_info().rss
            pressed = program.press("2")
            shown = program.look_slowly(2 * STALE, RATE, lambda text: "1 training" in text)
    beside = f"{slow:.1f} of {fast:.1f} batches/s"
    yield Figure("slow line: training ÷ before", slow / fast, "", THROUGHPUT, True, beside)
    beside = f"{early / 2**20:.0f} → {late / 2**20:.0f} MiB in {seconds:.0f} s"
    yield Figure("slow line: memory ÷ before", late / early, "", GROWTH, beside=beside)
    yield Figure("slow line: calm after", _after(begun, calm), "s", CALM_WITHIN)
    yield Figure("slow line: a key to its picture", _after(pressed, shown), "s", STALE)


def _after(begun: float, reached: float | None) -> float:
    return math.inf if reached is None else reached - begun


class _Log:
    """Of the one run of a project: how fast it trains between two looks."""

    def __init__(self, folder: Path) -> None:
        (self._path,) = folder.glob("artifacts/lvm/models/*_5cat_*/events.jsonl")
        self._read = self._path.stat().st_size

    def batches_per_second(self) -> float:
        """Since the last look."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            lines = file.read().split(b"\n")[1:-1]  # the first may be torn
            self._read = file.tell()
        batches = [each for each in map(json.loads, lines) if each["type"] == "batch"]
        first, last = batches[0], batches[-1]
        return float((last["step"] - first["step"]) / (last["time"] - first["time"]))
