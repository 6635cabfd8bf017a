"""The table of a run: Markdown, and its place between two markers of docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.figures import Figure, Note, number

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
LIBRARIES = ("torch", "numpy", "textual")


@dataclass(frozen=True)
class Machine:
    """What the figures hold for."""

    processor: str
    cores: int
    memory_gib: int
    system: str
    versions: Mapping[str, str]

    def words(self) -> str:
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib} GiB, {self.system}; "
            f"{versions}"
        )


def this_machine() -> Machine:
    versions = {name: version(name) for name in LIBRARIES}
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        system=f"{platform.system()} {platform.machine()}",
        versions={"Python": platform.python_version()} | versions,
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def render(
    figures: Sequence[Figure],
    notes: Iterable[Note],
    *,
    machine: Machine,
    date: datetime,
    threads: int,
    seconds: float,
    load: float,
) -> str:
    """Markdown: the machine, one table, what was missed, and the notes.

    load: the machine's load average before anything was measured: 0 on a quiet one.
    """
    lines = [
        f"Measured {date:%Y-%m-%d %H:%M} in one run of {seconds / 60:.0f} minutes with {threads} "
        f"threads, load average before it {load:.1f}: {machine.words()}.",
        "",
        "| figure | measured | target | met | reference, in the same run | n |",
        "|---|---|---|---|---|---|",
        *(_row(figure) for figure in figures),
    ]
    missed = [figure for figure in figures if not figure.kept]
    judged = sum(figure.limit is not None for figure in figures)
    lines += ["", f"{judged - len(missed)} of {judged} targets met."]
    if missed:
        lines[-1] += f" ✗ missed: {'; '.join(figure.name for figure in missed)}."
    for note in notes:
        lines += ["", f"**{note.title}**", "", *note.lines]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    measured = f"{number(figure.value)} {figure.unit}".rstrip()
    cells = (figure.name, measured, figure.target, figure.met, figure.beside, figure.n)
    escaped = [cell.replace("|", r"\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def replaced(text: str, table: str) -> str:
    """`text` with `table` between its markers, all else as it was.

    Raises ValueError when the markers are not there, once each and in order.
    """
    begin, end = text.find(BEGIN), text.find(END)
    if text.count(BEGIN) != 1 or text.count(END) != 1 or begin > end:
        raise ValueError(f"needs one {BEGIN} and after it one {END}")
    return f"{text[: begin + len(BEGIN)]}\n{table}\n{text[end:]}"
