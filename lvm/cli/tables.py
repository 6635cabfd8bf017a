"""Rows of text as lines for a screen or a file; pure."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

GAP = "  "
INDENT = "     "
LEAST = 40
"""Columns below which no screen is taken to be: what is longer is wrapped by the terminal."""


def lay_out(
    head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None
) -> Iterator[str]:
    """The head, then one line a row, columns as wide as their content.

    width: of the screen. The columns from the right that find no room in it stand beneath their
    row, with their names. None: one line a row, however long, as other programs read it.
    """
    cells = [[one_line(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    beside = len(widths) if width is None else _beside(widths, max(width, LEAST))
    for number, row in enumerate(cells):
        padded = (cell + " " * (w - columns(cell)) for cell, w in zip(row, widths, strict=True))
        yield GAP.join(list(padded)[:beside]).rstrip()
        if number and width is not None:
            yield from _beneath(head[beside:], row[beside:], max(width, LEAST))


def one_line(text: str) -> str:
    """Without what would break a row: line ends become spaces, what moves the cursor is dropped."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())


def columns(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return sum(_cells(each) for each in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _beside(widths: Sequence[int], width: int) -> int:
    """How many columns fit beside each other; the first always does."""
    used = 0
    for count, each in enumerate(widths):
        used += each + (len(GAP) if count else 0)
        if used > width and count:
            return count
    return len(widths)


def _beneath(names: Sequence[str], cells: Sequence[str], width: int) -> list[str]:
    named = [f"{name} {cell}".strip() for name, cell in zip(names, cells, strict=True) if cell]
    return textwrap.wrap(
        " · ".join(named),
        width,
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_on_hyphens=False,
    )
