"""Lines of a log book, as many as the screen holds; the rest is scrolled to."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from lvm_tui.state.logbook import LogBook
from lvm_tui.state.views import LogLine

STEP = 20
"""Cells that one key moves sideways."""

_SIGNS = {"good": "✓", "notice": "!", "alarm": "▲"}


class LogView(ScrollView, can_focus=True):
    """Follows the newest line until somebody scrolls away from it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "sideways(-1)", "Sideways, where lines are longer", show=False),
        Binding("right", "sideways(1)", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log-view--time",
        "log-view--good",
        "log-view--notice",
        "log-view--alarm",
        "log-view--found",
    }

    class Moved(Message):
        """Somebody scrolled."""

    follows = True
    zone: tzinfo | None = None
    book: LogBook | None = None
    _count = 0
    _across = 0
    """Cells of each line that are left of what is shown."""

    def show(self, book: LogBook, *, anew: bool) -> None:
        """Take over what the book holds now; anew: not only lines were added."""
        self.book = book
        count = len(book)
        if count == self._count and not anew:
            return
        self._count = count
        self.virtual_size = Size(self.size.width, count)
        if self.follows:
            self.scroll_end(animate=False, immediate=True)
        self.refresh()

    def on_resize(self) -> None:
        """The newest line stays the last one in sight; before the first layout there was none."""
        if self.follows:
            self.call_after_refresh(self.scroll_end, animate=False, immediate=True)

    def follow(self, wanted: bool) -> None:
        self.follows = wanted
        if wanted:
            self.scroll_end(animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._count == self.virtual_size.height:
            self.follows = new_value >= self.max_scroll_y
            self.post_message(self.Moved())

    def action_sideways(self, by: int) -> None:
        """As far as the longest line in sight goes."""
        longest = max((cell_len(self._text_of(at)) for at in self._in_sight), default=0)
        most = max(longest - self.scrollable_content_region.width, 0)
        across = min(max(self._across + by * STEP, 0), most)
        if across != self._across:
            self._across = across
            self.refresh()

    @property
    def _in_sight(self) -> range:
        first = round(self.scroll_y)
        return range(first, min(first + self.size.height, self._count))

    def visible_text(self) -> str:
        """The lines in sight, whole, for the clipboard."""
        return "\n".join(self._text_of(at) for at in self._in_sight)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What the mouse has marked; only those lines are read."""
        if self.book is None or not self._count:
            return None
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else self._count - 1
        lines = []
        for at in range(max(first, 0), min(last, self._count - 1) + 1):
            text, span = self._text_of(at), selection.get_span(at)
            start, end = span if span is not None else (0, -1)
            lines.append(text[start : None if end == -1 else end])
        return "\n".join(lines), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        self.refresh()

    def render_line(self, y: int) -> Strip:
        at = round(self.scroll_y) + y
        width = self.scrollable_content_region.width
        style = self.rich_style
        if self.book is None or at >= min(self._count, len(self.book)):
            return Strip.blank(width, style)
        text = self._drawn(self.book.line(at))
        text.truncate(self._across + width, overflow="ellipsis")
        text.stylize_before(style)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(at)) is not None:
            start, end = span
            marked = self.screen.get_component_rich_style("screen--selection")
            text.stylize(marked, start, len(text) if end == -1 else end)
        strip = Strip(text.render(self.app.console), text.cell_len)
        whole = strip.extend_cell_length(self._across + width, style).apply_offsets(0, at)
        return whole.crop(self._across, self._across + width)

    def _drawn(self, line: LogLine) -> Text:
        sign = _SIGNS.get(line.level, " ")
        text = Text(no_wrap=True, end="")
        text.append(f"{self._clock(line)} ", self.get_component_rich_style("log-view--time"))
        level: Style | str = ""
        if line.level in _SIGNS:
            level = self.get_component_rich_style(f"log-view--{line.level}")
        text.append(f"{sign} ", level)
        text.append(line.text, "" if line.level == "good" else level)
        if self.book is not None and self.book.filter.words:
            found = self.get_component_rich_style("log-view--found")
            text.highlight_words(self.book.filter.words, found, case_sensitive=False)
        return text

    def _text_of(self, at: int) -> str:
        assert self.book is not None
        line = self.book.line(at)
        return f"{self._clock(line)} {_SIGNS.get(line.level, ' ')} {line.text}"

    def _clock(self, line: LogLine) -> str:
        return datetime.fromtimestamp(line.time, self.zone).strftime("%m-%d %H:%M:%S")
