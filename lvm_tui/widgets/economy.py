"""What need not be drawn, and how often what grows may be: pure.

A terminal may be at the end of a slow line, and the training shares this process: both pay for
every row that is drawn again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from textual.content import Content

from lvm_tui.widgets.plotting import Row

STEADY, CALM = 2_000, 150
"""Bytes a second that one growing chart may send to the terminal; in calm mode."""

REST, CALM_REST = 2.0, 10.0
"""Seconds from one picture of a growing chart to the next, at least."""

SHARE = 0.005
"""Of a core, for drawing one growing chart; to put it on the screen costs as much again."""

_ESCAPES = 25
"""Bytes around a piece of one style, about."""


def changed_rows(before: Sequence[Row], after: Sequence[Row]) -> list[int]:
    return [y for y, (old, new) in enumerate(zip_longest(before, after)) if old != new]


def changed_lines(
    before: Sequence[Content], after: Sequence[Content], width: int
) -> list[int] | None:
    """Numbers of the lines that differ in text or style; None where lines may wrap, and numbers of
    lines say nothing of their places."""
    if len(before) != len(after) or any(line.cell_length > width for line in (*before, *after)):
        return None
    return [
        y for y, (old, new) in enumerate(zip(before, after, strict=True)) if not new.is_same(old)
    ]


def cost(row: Row) -> int:
    """Bytes of a row on its way to the terminal, about."""
    return sum(len(text.encode()) + _ESCAPES for text, _ in row)


def rest(seconds: float, written: int, *, calm: bool) -> float:
    """Seconds until a growing chart is drawn again, after a picture that took `seconds` to draw and
    so many bytes to write."""
    least, budget = (CALM_REST, CALM) if calm else (REST, STEADY)
    return max(least, written / budget, seconds / SHARE)
