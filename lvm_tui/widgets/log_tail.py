"""The last lines of what happened, newest at the bottom."""

from __future__ import annotations

from datetime import datetime, tzinfo
from heapq import merge
from typing import Self

from textual.content import Content
from textual.geometry import Size

from lvm_tui.state.views import Frame, LogLine
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import clipped, lines

_STYLES = {"good": "$text-success", "notice": "$text-warning", "alarm": "$text-error bold"}
_SIGNS = {"good": "✓", "notice": "!", "alarm": "▲"}

_SHOWN = 60
"""Lines of the tallest log tail."""


class LogTail(Board[tuple[LogLine, ...]]):
    _zone: tzinfo | None = None

    def naming(self, whole: str, search: str) -> Self:
        """Name the keys of the whole log in the border, where there is one."""
        self.border_title = f"log · {whole} all of it · {search} filter".replace("[", "\\[")
        return self

    async def on_click(self) -> None:
        await self.run_action("screen.open('whole_log')")

    def show_frame(self, frame: Frame, zone: tzinfo | None = None) -> None:
        """zone: of the clock; None is the machine's own."""
        self._zone = zone
        run = frame.run.log[-_SHOWN:] if frame.run is not None else ()
        around = () if frame.pinned else frame.workspace.log[-_SHOWN:]
        both = merge(around, run, key=lambda line: line.time)
        self.show(tuple(both)[-_SHOWN:])

    def draw(self, slice_: tuple[LogLine, ...], size: Size) -> Content:
        if not slice_:
            return Content.styled("nothing has happened yet", "$dim")
        return lines(self._line(line, size.width) for line in slice_[-max(size.height, 1) :])

    def _line(self, line: LogLine, width: int) -> Content:
        time = datetime.fromtimestamp(line.time, self._zone).strftime("%H:%M:%S")
        row = Content.assemble(
            (f"{time} ", "$dim"),
            (f"{_SIGNS.get(line.level, ' ')} ", _STYLES.get(line.level, "")),
            (line.text, _STYLES.get(line.level, "") if line.level != "good" else ""),
        )
        return clipped(row, width)
