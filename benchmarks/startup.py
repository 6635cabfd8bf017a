"""What a start costs: `lvm --help`, `lvm-tui --help`, the first paint, and each import.

    python -m benchmarks.startup

A start is compared with a bare `python -c pass` in the same run; the first paint is the time from
the start of the process to the first frame in a pty. Each figure is the median of several.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TIMES = 7
HELP_LIMIT, PAINT_LIMIT = 0.3, 1.0
"""Seconds: of `--help` (spec of the commands) and of the first paint."""

IMPORTS = ("argparse", "sqlite3", "numpy", "textual.app", "lvm_tui.app", "sklearn", "torch")


def median_of(measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(TIMES))


def process_seconds(*arguments: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begun


def first_paint_seconds(folder: str) -> float:
    """From fork to the first frame that has the footer's words on it."""
    begun = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.chdir(folder)
        os.execv(sys.executable, [sys.executable, "-m", "lvm_tui"])
    seen = b""
    try:
        while b"Dashboard" not in seen:
            if not select.select([terminal], [], [], 30)[0]:
                raise SystemExit("no first paint after 30 s")
            seen += os.read(terminal, 1 << 16)
        return time.perf_counter() - begun
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


def main(argv: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    bare = median_of(lambda: process_seconds("-c", "pass"))
    print(f"{'':34}   seconds   × bare python   limit")

    def row(name: str, seconds: float, limit: float | None) -> bool:
        kept = limit is None or seconds <= limit
        need = "" if limit is None else f"≤ {limit:.1f} {'✓' if kept else '✗'}"
        print(f"{name:34} {seconds:9.3f} {seconds / bare:15.1f}   {need}")
        return kept

    row("python -c pass", bare, None)
    kept = row("lvm --help", median_of(lambda: process_seconds("-m", "lvm", "--help")), HELP_LIMIT)
    seconds = median_of(lambda: process_seconds("-m", "lvm_tui", "--help"))
    kept &= row("lvm-tui --help", seconds, HELP_LIMIT)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "lvm.toml").write_text("")
        seconds = median_of(lambda: first_paint_seconds(folder))
        kept &= row("lvm-tui, first paint", seconds, PAINT_LIMIT)
    for name in IMPORTS:
        row(f"import {name}", median_of(lambda: process_seconds("-c", f"import {name}")), None)  # noqa: B023
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
