"""Small pieces of styled text that several widgets share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from textual.content import Content

SEPARATOR = Content.styled(" ── ", "$faint")
BLOCKS = "▁▂▃▄▅▆▇█"

YES = Content.styled("✓", "$text-success")
NO = Content.styled("✗", "$text-error bold")
UNKNOWN = Content.styled("?", "$text-warning")


def clickable(key: str, words: str, action: str, style: str = "") -> Content:
    """`[a] acknowledge`, which may be clicked as well."""
    style = f"{style} @click={action}".strip()
    return Content.assemble((f"[{key}]", style), (f" {words}" if words else "", style))


def verdict(passed: bool | None) -> Content:
    """✓, ✗, or ? for what was not measured."""
    if passed is None:
        return UNKNOWN
    return YES if passed else NO


def bar(share: float, width: int, style: str = "$primary") -> Content:
    """A progress bar: `━━━━━╸────`."""
    width = max(width, 1)
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    whole, half = divmod(halves, 2)
    rest = width - whole - half
    return Content.assemble(("━" * whole + "╸" * half, style), ("─" * rest, "$faint"))


def sparkline(values: Sequence[float | None], width: int) -> str:
    """The last `width` values as blocks; a gap where nothing was measured."""
    shown = values[-width:] if width > 0 else ()
    known = [value for value in shown if value is not None]
    if not known:
        return " " * max(width, 0)
    low, high = min(known), max(known)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    text = "".join(
        " " if value is None else BLOCKS[round((value - low) * scale)] for value in shown
    )
    return text.ljust(width)


_LEAST = 0.6
"""Share of a line that is kept at least, be it in the middle of a word."""

_DANGLING = " ·,:;–—─→(≥≤"
"""What says nothing at the end of a line that was cut."""


def whole_words(text: str, width: int) -> str:
    """What of `text` fits into `width` cells together with an ellipsis, without half a word."""
    kept = set_cell_size(text, max(width - 1, 0)).rstrip()
    at = len(kept)
    if not text[at : at + 1].isspace():
        blank = kept.rfind(" ")
        at = blank if cell_len(kept[: blank + 1]) >= _LEAST * width else at
    return kept[:at].rstrip(_DANGLING) or kept[:at]


def clipped(row: Content, width: int) -> Content:
    """One line of at most `width` cells: what is longer ends with `…` after a whole word.

    Blanks at the end are no loss.
    """
    row = row.first_line.rstrip()
    if row.cell_length <= width:
        return row
    return row[: len(whole_words(row.plain, width))] + "…"


def fitted(parts: Iterable[tuple[int, Content]], width: int) -> Content:
    """Parts joined by separators; those of the highest number are left out until it fits."""
    kept = list(parts)
    while True:
        line = SEPARATOR.join([part for _, part in kept])
        if line.cell_length <= width or len(kept) < 2:
            return line
        least = max(range(len(kept)), key=lambda index: (kept[index][0], index))
        del kept[least]


def spread(left: Content, right: Content, width: int) -> Content:
    """`left` at the left edge and `right` at the right one; `right` goes when it does not fit."""
    gap = width - left.cell_length - right.cell_length
    if gap < 2:
        return clipped(left, width)
    return left + Content(" " * gap) + right


def lines(rows: Iterable[Content]) -> Content:
    return Content("\n").join(rows)
