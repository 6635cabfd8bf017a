"""The whole log: filtered by kind and by words, followed or scrolled, copied."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Input

from lvm_tui.state.logbook import KINDS, Filter, LogBook, Pages
from lvm_tui.widgets.choice import Choice
from lvm_tui.widgets.log_view import LogView

BUDGET = 0.03
"""Seconds of reading at a time; keys and the screen have theirs in between."""

BREATH = 0.02
"""Seconds between two pieces while there is more to read."""


class LogPage(Vertical):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "kind(1)", "Another kind of lines", show=False, id="kind_of_log"),
        Binding("f", "follow", "Follow the newest line", show=False, id="follow_log"),
        Binding("y", "copy", "Copy the lines in sight", show=False, id="copy_log"),
    ]

    _book: LogBook | None = None
    _reading: Timer | None = None
    _seen = 0

    def compose(self) -> ComposeResult:
        yield Choice(tuple(KINDS), "all", id="log_kind")
        yield Input(placeholder="words that a line must hold", compact=True, id="log_words")
        yield LogView()

    def on_mount(self) -> None:
        self._say()

    def open(self, pages: Sequence[Pages], zone: tzinfo | None) -> None:
        """Read these logs, from their beginnings."""
        self._book = LogBook(pages, time.monotonic)
        self._book.use(self._filter)
        view = self.query_one(LogView)
        view.zone, view.follows = zone, True
        view.show(self._book, anew=True)
        self.read_on()

    @property
    def _filter(self) -> Filter:
        return Filter.of(self.query_one(Choice).value, self.query_one(Input).value)

    def read_on(self) -> None:
        """The logs may have grown."""
        if self._book is None or self._reading is not None:
            return
        more = self._book.advance(BUDGET)
        self.query_one(LogView).show(self._book, anew=False)
        self._say()
        if more:
            self._reading = self.set_timer(BREATH, self._read_more)

    def _read_more(self) -> None:
        self._reading = None
        self.read_on()

    def _say(self) -> None:
        view, book = self.query_one(LogView), self._book
        if book is None:
            return
        count = f"{len(book):,} lines"
        if not book.filter.passes_all:
            count = f"{len(book):,} of {book.total:,} lines"
        if not book.at_end:
            count += " · reading …"
        if view.follows:
            self._seen = len(book)
            place = "▼ following"
        else:
            new = len(book) - self._seen
            place = "scrolled, f follows" + (f", {new} new" if new > 0 else "")
        title = f"{count} · {place} · ← → more · / filter · v kind · y copy · esc back"
        if title != self.border_title:
            self.border_title = title

    def on_choice_changed(self) -> None:
        self._refilter()

    def on_input_changed(self) -> None:
        self._refilter()

    def _refilter(self) -> None:
        if self._book is not None:
            self._book.use(self._filter)
            self._seen = 0
            view = self.query_one(LogView)
            view.follows = True
            self._book.advance(BUDGET)
            view.show(self._book, anew=True)
            self.read_on()

    def on_input_submitted(self) -> None:
        self.query_one(LogView).focus()

    def on_log_view_moved(self) -> None:
        self._say()

    def ask_for_words(self) -> None:
        self.query_one(Input).focus()

    def action_kind(self, by: int) -> None:
        choice = self.query_one(Choice)
        choice.action_choose(by)

    def action_follow(self) -> None:
        view = self.query_one(LogView)
        view.follow(not view.follows)
        self._say()

    def action_copy(self) -> None:
        text = self.query_one(LogView).visible_text()
        self.app.copy_to_clipboard(text)
        count = len(text.splitlines())
        self.notify(f"{count} lines copied, where the terminal allows it (OSC 52)")
