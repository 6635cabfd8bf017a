"""First paint: from the start of the process to the first picture in a pty."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.dashboard.program import Program
from benchmarks.figures import Figure

LIMIT = 0.6
TIMES, QUICK_TIMES = 9, 3


def measure(*, quick: bool) -> Iterator[Figure]:
    times = QUICK_TIMES if quick else TIMES
    bare, painted = [], []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "lvm.toml").write_text("")
        for _ in range(times):
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", "pass"], check=True)
            bare.append(time.perf_counter() - begun)
            with Program("lvm_tui", folder=Path(folder)) as program:
                painted.append(program.wait_for("Dashboard") - program.started)
    seconds, python = statistics.median(painted), statistics.median(bare)
    beside = f"{seconds / python:.1f} × python -c pass"
    yield Figure("first paint from process start", seconds, "s", LIMIT, beside=beside)
