"""The base of all widgets that show a slice of the frame."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.content import Content
from textual.geometry import Region, Size
from textual.widget import Widget

from lvm_tui.widgets.economy import changed_lines

Slice = TypeVar("Slice")


class Board(Widget, Generic[Slice]):
    """Draws one immutable slice; drawn again only when a different slice, or size, comes. Of a
    board of fixed size only the lines that changed go to the terminal."""

    _slice: Slice | None = None
    _lines: list[Content] | None = None
    """What is on the screen, at `_drawn_for`."""
    _drawn_for = Size(0, 0)
    _ready: Content | None = None
    """Drawn by `show` already, for the next `render`."""

    def show(self, slice_: Slice) -> None:
        """Take a new slice; an equal one costs no repaint."""
        if slice_ == self._slice:
            return
        self._slice = slice_
        self._ready = None
        if self.styles.auto_dimensions:
            self.refresh(layout=True)
        elif self._lines is None or self._drawn_for != self.size:
            self.refresh()
        else:
            self._refresh_changed(self._lines)

    def render(self) -> Content:
        if self._slice is None:
            return Content("")
        content = self._ready
        if content is None or self._drawn_for != self.size:
            content = self.draw(self._slice, self.size)
        self._ready = None
        self._drawn_for = self.size
        self._lines = content.split(allow_blank=True)
        return content

    def draw(self, slice_: Slice, size: Size) -> Content:
        """What stands in `size` cells."""
        raise NotImplementedError

    def _refresh_changed(self, before: list[Content]) -> None:
        assert self._slice is not None
        width = self.size.width
        content = self.draw(self._slice, self.size)
        changed = changed_lines(before, content.split(allow_blank=True), width)
        if changed is None:
            self.refresh()
        elif changed:
            self._ready = content
            self.refresh(*(Region(0, y, width, 1) for y in changed))
