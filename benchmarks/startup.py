"""What a start costs: `lvm --help`, `lvm-tui --help`, the first paint, and each import.

    python -m benchmarks.startup

A start is compared with a bare `python -c pass` in the same run; the first paint is the time from
the start of the process to the first frame in a pty. Each figure is the median of several. The
tables of imports are what Python itself says of them (`-X importtime`), which slows them down.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.figures import Figure, Note, report

TIMES = 7
HELP_LIMIT, PAINT_LIMIT = 0.3, 0.6
"""Seconds: of `--help` and of the first paint."""

IMPORTS = ("argparse", "sqlite3", "numpy", "textual.app", "lvm_tui.app", "sklearn", "torch")
COSTLIEST = 10
"""Packages that a table of imports names."""

_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
"""A line of -X importtime: microseconds of the module itself, of what it imports, its name."""


def measure() -> Iterator[Figure | Note]:
    bare = _median(lambda: process_seconds("-c", "pass"))

    def figure(name: str, seconds: float, limit: float | None = None) -> Figure:
        beside = f"{seconds / bare:.1f} × python -c pass ({bare * 1e3:.0f} ms)"
        return Figure(name, seconds, "s", limit, beside=beside, n=f"median of {TIMES}")

    for name, module in (("lvm --help", "lvm"), ("lvm-tui --help", "lvm_tui")):
        seconds = _median(lambda: process_seconds("-m", module, "--help"))  # noqa: B023
        yield figure(name, seconds, HELP_LIMIT)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "lvm.toml").write_text("")
        yield figure("lvm-tui, first paint", _median(lambda: first_paint(folder)[0]), PAINT_LIMIT)
        painted = first_paint(folder, "-X", "importtime")[1]
    lines = ["| import | seconds | × `python -c pass` |", "|---|---|---|"]
    for name in IMPORTS:
        seconds = _median(lambda: process_seconds("-c", f"import {name}"))  # noqa: B023
        lines.append(f"| `{name}` | {seconds:.3f} | {seconds / bare:.1f} |")
    yield Note("Start of Python with one import", tuple(lines))
    command = [sys.executable, "-X", "importtime", "-m", "lvm", "--help"]
    helped = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    yield imports_note("Imports of `lvm --help`", helped)
    yield imports_note("Imports until the first paint of `lvm-tui`", painted)


def imports_note(title: str, log: str) -> Note:
    """The costliest packages in the output of -X importtime, with their costliest module."""
    packages: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for microseconds, module in _IMPORT.findall(log):
        packages[module.partition(".")[0]][module] = int(microseconds)
    spent = {package: sum(modules.values()) for package, modules in packages.items()}
    lines = ["| package | ms | modules | costliest |", "|---|---|---|---|"]
    ordered = sorted(spent, key=lambda package: -spent[package])
    for package in ordered[:COSTLIEST]:
        modules = packages[package]
        worst = max(modules, key=lambda module: modules[module])
        lines.append(
            f"| {package} | {spent[package] / 1e3:.1f} | {len(modules)} "
            f"| `{worst}` {modules[worst] / 1e3:.1f} |"
        )
    others = sum(spent[package] for package in ordered[COSTLIEST:])
    lines.append(f"| {len(ordered[COSTLIEST:])} others | {others / 1e3:.1f} | | |")
    total = sum(spent.values())
    lines.append(f"| all | {total / 1e3:.1f} | {sum(map(len, packages.values()))} | |")
    return Note(title, tuple(lines))


def process_seconds(*arguments: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begun


def first_paint(folder: str, *options: str) -> tuple[float, str]:
    """Seconds from fork to the first frame that has the footer's words on it, and all output."""
    begun = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.chdir(folder)
        os.execv(sys.executable, [sys.executable, *options, "-m", "lvm_tui"])
    seen = b""
    try:
        while b"Dashboard" not in seen:
            if not select.select([terminal], [], [], 30)[0]:
                raise SystemExit("no first paint after 30 s")
            seen += os.read(terminal, 1 << 16)
        return time.perf_counter() - begun, seen.decode("utf-8", "replace")
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


def _median(measured: Callable[[], float]) -> float:
    return statistics.median(measured() for _ in range(TIMES))


def main(argv: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m benchmarks.startup").parse_args(argv)
    return report(measure())


if __name__ == "__main__":
    sys.exit(main())
