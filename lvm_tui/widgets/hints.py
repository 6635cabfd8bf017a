"""The keys of a screen's body in one line, clickable; those at the end go when room is short."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size

from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import spread


@dataclass(frozen=True, slots=True)
class Hint:
    key: str
    words: str
    action: str
    """Of the screen, as in a binding."""


@dataclass(frozen=True, slots=True)
class Hints:
    keys: tuple[Hint, ...]
    note: Content
    """At the right edge, where there is room."""


class HintLine(Board[Hints]):
    def draw(self, slice_: Hints, size: Size) -> Content:
        keys = list(slice_.keys)
        while keys:
            line = Content("  ").join([_drawn(hint) for hint in keys])
            if line.cell_length <= size.width:
                return spread(line, slice_.note, size.width)
            keys.pop()
        return Content("")


def _drawn(hint: Hint) -> Content:
    click = f"@click=screen.{hint.action}"
    return Content.assemble((hint.key, f"bold $accent {click}"), (f" {hint.words}", click))
