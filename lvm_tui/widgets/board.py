"""The base of all widgets that show a slice of the frame."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

Slice = TypeVar("Slice")


class Board(Widget, Generic[Slice]):
    """Draws one immutable slice; drawn again only when a different slice, or size, comes."""

    _slice: Slice | None = None

    def show(self, slice_: Slice) -> None:
        """Take a new slice; an equal one costs no repaint."""
        if slice_ != self._slice:
            self._slice = slice_
            self.refresh(layout=self.styles.auto_dimensions)

    def render(self) -> Content:
        if self._slice is None:
            return Content("")
        return self.draw(self._slice, self.size)

    def draw(self, slice_: Slice, size: Size) -> Content:
        """What stands in `size` cells."""
        raise NotImplementedError
