"""The machine that trains, in one line; of another machine, that its gauges are not here."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size

from lvm_tui.machine import GB, Gauges, Gpu
from lvm_tui.state.views import Frame
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import BLOCKS, clipped

FULL = 0.9
"""Share of memory from which on it is said with a warning."""

SCARCE = 5 * GB
"""Free bytes of disk below which it is said with a warning."""


@dataclass(frozen=True, slots=True)
class Readings:
    gauges: Gauges | None
    run_memory: float
    """Bytes of the training process; 0 unknown."""
    elsewhere: str
    """The machine that trains, if it is another one."""


class GaugeLine(Board[Readings]):
    def show_frame(self, frame: Frame, gauges: Gauges | None, elsewhere: str) -> None:
        run = frame.run
        memory = round(run.memory_mb / 100) * 100 * 2.0**20 if run is not None else 0.0
        short = self.screen.has_class("-short")  # there the queue's line says it, in two words
        self.display = not short and (gauges is not None or bool(elsewhere))
        self.show(Readings(gauges, memory, elsewhere))

    def draw(self, slice_: Readings, size: Size) -> Content:
        gauges = slice_.gauges
        if slice_.elsewhere:
            words = f"trains on {slice_.elsewhere}: its gauges are not to be seen from here"
            return clipped(Content.styled(words, "$dim"), size.width)
        if gauges is None:
            return Content("")
        share = gauges.memory_used / gauges.memory_total if gauges.memory_total else 0.0
        parts = [
            _gauge("cpu", gauges.cpu / 100, f"{gauges.cpu:.0f}%"),
            _gauge("mem", share, _of(gauges.memory_used, gauges.memory_total), warn=share >= FULL),
        ]
        parts += [_gpu(at, gpu) for at, gpu in enumerate(gauges.gpus)]
        if slice_.run_memory:
            parts.append(_plain("run", f"{slice_.run_memory / GB:.1f} GB"))
        parts.append(_disk(gauges.disk_free))
        while len(parts) > 2:
            line = Content("   ").join(parts)
            if line.cell_length <= size.width:
                return line
            del parts[-2]  # the disk stays: it is what stops a run
        return clipped(Content("   ").join(parts), size.width)


def in_short(gauges: Gauges | None) -> str:
    """`cpu 85% mem 61% gpu 97%`, for where there is little room."""
    if gauges is None:
        return ""
    parts = [f"cpu {gauges.cpu:.0f}%"]
    if gauges.memory_total:
        parts.append(f"mem {100 * gauges.memory_used / gauges.memory_total:.0f}%")
    if gauges.gpus:
        parts.append(f"gpu {max(gpu.load for gpu in gauges.gpus):.0f}%")
    return " ".join(parts)


def _gpu(at: int, gpu: Gpu) -> Content:
    heat = f" {gpu.celsius}°C" if gpu.celsius is not None else ""
    words = f"{gpu.load:.0f}% {_of(gpu.used, gpu.total)}{heat}"
    return _gauge(f"gpu{at}", gpu.load / 100, words, warn=gpu.used >= FULL * gpu.total)


def _disk(free: float | None) -> Content:
    if free is None:
        return _plain("disk", "does not answer", warn=True)
    return _plain("disk", f"{free / GB:.{0 if free > 10 * GB else 1}f} GB free", warn=free < SCARCE)


def _gauge(name: str, share: float, words: str, *, warn: bool = False) -> Content:
    block = BLOCKS[round(min(max(share, 0.0), 1.0) * (len(BLOCKS) - 1))]
    style = "$text-warning" if warn else "$text-primary"
    return Content.assemble((f"{name} ", "$dim"), (f"{block} ", style)) + _words(words, warn)


def _plain(name: str, words: str, *, warn: bool = False) -> Content:
    return Content.styled(f"{name} ", "$dim") + _words(words, warn)


def _words(words: str, warn: bool) -> Content:
    return Content.styled(f"{words} !", "$text-warning bold") if warn else Content(words)


def _of(used: float, total: float) -> str:
    return f"{used / GB:.1f}/{total / GB:.1f} GB"
