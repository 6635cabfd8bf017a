"""Several logs as one, in the order of time, of which a person sees what passes a filter.

Works in small pieces, so that a log of any length is searched while the screen stays alive.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from lvm_tui.state.views import LogLine

KINDS: dict[str, tuple[str, ...]] = {
    "all": (),
    "important": (),
    "alerts": ("alert_raised", "alert_acknowledged"),
    "epochs": ("epoch_finished",),
    "5CAT": ("fivecat_started", "fivecat_finished"),
    "files": ("checkpoint_saved",),
}
"""What a person may ask for: types of events. important: whatever is not plain."""

REMEMBERED = 4000
"""Decoded lines that are kept: some screens full."""


class Pages(Protocol):
    """The lines of one log that a person reads, oldest first."""

    restarts: int
    """Rises when the log was replaced: what was known of it is void."""

    def read(self) -> bool:
        """Look through one more piece; False at the end of what is there now."""
        ...

    def __len__(self) -> int: ...

    def time(self, at: int) -> float: ...

    def kind(self, at: int) -> str:
        """The type of the event, as in the log."""
        ...

    def line(self, at: int) -> LogLine | None:
        """None if the log was replaced meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Filter:
    kind: str = "all"
    """A key of KINDS."""
    words: tuple[str, ...] = ()
    """Lower case; a line has to hold all of them."""

    @classmethod
    def of(cls, kind: str, text: str) -> Filter:
        return cls(kind, tuple(text.lower().split()))

    @property
    def passes_all(self) -> bool:
        return self.kind == "all" and not self.words


class LogBook:
    """`advance` until it returns False; then `len` lines are there, `line(i)` is one of them."""

    def __init__(self, pages: Sequence[Pages], monotonic: Callable[[], float]) -> None:
        self._pages = pages
        self._monotonic = monotonic
        self.filter = Filter()
        self._start_anew()

    def _start_anew(self) -> None:
        self._restarts = sum(pages.restarts for pages in self._pages)
        self._known = [0] * len(self._pages)
        self._sources, self._places = array("B"), array("L")
        self._shown = array("L")
        self._looked_at = 0
        self.at_end = False
        """Whether all that there is has been read and filtered."""
        self._decoded = lru_cache(REMEMBERED)(self._decode)

    @property
    def total(self) -> int:
        """Lines that were read so far, whether they pass or not."""
        return len(self._places)

    def __len__(self) -> int:
        return len(self._shown)

    def line(self, at: int) -> LogLine:
        return self._decoded(self._shown[at])

    def use(self, filter_: Filter) -> None:
        """Show what passes another filter; `advance` finds it."""
        if filter_ != self.filter:
            self.filter = filter_
            self._shown = array("L")
            self._looked_at = 0
            self.at_end = False

    def advance(self, seconds: float) -> bool:
        """Read and filter for so long at most; False when nothing is left to do for now."""
        deadline = self._monotonic() + seconds
        while True:
            more = [pages.read() for pages in self._pages]
            if sum(pages.restarts for pages in self._pages) != self._restarts:
                self._start_anew()
            if not any(more):
                break
            if self._monotonic() > deadline:
                self.at_end = False
                return True
        self._merge()
        self.at_end = self._sift(deadline)
        return not self.at_end

    def _merge(self) -> None:
        """New lines of all logs, in the order of time."""
        fresh = [
            (pages.time(at), source, at)
            for source, pages in enumerate(self._pages)
            for at in range(self._known[source], len(pages))
        ]
        fresh.sort(key=lambda row: row[0])
        for _, source, at in fresh:
            self._sources.append(source)
            self._places.append(at)
        self._known = [len(pages) for pages in self._pages]

    def _sift(self, deadline: float) -> bool:
        """Whether all lines were held against the filter."""
        if self.filter.passes_all:
            self._shown.extend(range(self._looked_at, self.total))
            self._looked_at = self.total
            return True
        while self._looked_at < self.total:
            if self._passes(self._looked_at):
                self._shown.append(self._looked_at)
            self._looked_at += 1
            if self._looked_at % 64 == 0 and self._monotonic() > deadline:
                return False
        return True

    def _passes(self, row: int) -> bool:
        pages, at = self._pages[self._sources[row]], self._places[row]
        kinds = KINDS[self.filter.kind]
        if kinds and pages.kind(at) not in kinds:
            return False
        line = pages.line(at)
        if line is None or (self.filter.kind == "important" and line.level == "plain"):
            return False
        text = f"{line.text} {line.level} {pages.kind(at)}".lower()
        return all(word in text for word in self.filter.words)

    def _decode(self, row: int) -> LogLine:
        pages, at = self._pages[self._sources[row]], self._places[row]
        return pages.line(at) or LogLine(pages.time(at), "plain", "(the log was replaced)")
