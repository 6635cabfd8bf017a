"""Covers the screen where there is no room for it: what is missing, and that nothing is lost."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size

from lvm_tui.widgets.board import Board

LEAST = (40, 12)
"""Columns and rows below which no screen can be read."""


class TooSmall(Board[Size]):
    def show(self, slice_: Size) -> None:
        """slice_: the size of the terminal."""
        self.display = slice_.width < LEAST[0] or slice_.height < LEAST[1]
        super().show(slice_)

    def draw(self, slice_: Size, size: Size) -> Content:
        words = Content(
            f"{slice_.width}×{slice_.height} is too small: from {LEAST[0]}×{LEAST[1]} on there is "
            "something to see, at 80×24 all of it. The training goes on."
        )
        return Content("\n").join(words.wrap(max(size.width, 1)))
