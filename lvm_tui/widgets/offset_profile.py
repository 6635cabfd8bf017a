"""Mean cosine of the predictions with the chunks around: where does the model point?"""

from __future__ import annotations

from typing import Any

from textual.content import Content

from lvm_tui.numbers import short
from lvm_tui.widgets.text import BLOCKS

OFFSETS = range(-3, 4)
TARGET = 1

_COLUMN = 7
"""Cells of one offset in the tall form."""

_FLOOR = 0.25
"""Height of the lowest bar, as a share: a bar of nothing looks like a number not measured."""


def profile_line(name: str, split: dict[str, Any], width: int) -> Content:
    """`VAL −3 ▂ −2 ▃ −1 ▅ 0 █ [+1 ▆] +2 ▅ +3 ▄`: bars of one height, the target in brackets."""
    cosines = _cosines(split)
    known = [value for value in cosines.values() if value is not None]
    if not known:
        return Content.styled(f"{name} offsets: not measured", "$dim")
    low, high = min(known), max(known)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    parts = [Content.styled(f"{name:<4}", "$dim")]
    for k, value in cosines.items():
        block = "·" if value is None else BLOCKS[round((value - low) * scale)]
        style = _peak_style(k) if value == high else ""
        if k == TARGET:
            part = Content.assemble(("[", "bold"), f"{offset(k)} ", (block, style), ("]", "bold"))
        else:
            part = Content.assemble((f"{offset(k)} ", "$dim"), (block, style))
        parts.append(part)
    line = Content(" ").join(parts)
    return line + Content("  ") + peak(split) if line.cell_length + 12 <= width else line


def profile_bars(val: dict[str, Any], ood: dict[str, Any], rows: int) -> list[Content]:
    """VAL and OOD side by side as bars of `rows` rows, then the offsets, then the numbers."""
    both = {k: (_cosines(val).get(k), _cosines(ood).get(k)) for k in OFFSETS}
    known = [value for pair in both.values() for value in pair if value is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    peaks = [
        max((v for v in column if v is not None), default=None)
        for column in zip(*both.values(), strict=True)
    ]
    lines: list[Content] = []
    for row in range(rows, 0, -1):
        parts = []
        for k, pair in both.items():
            bars = [
                (
                    _piece(value, low, high, row, rows) * 2,
                    _peak_style(k) if value is not None and value == top else color,
                )
                for value, top, color in zip(pair, peaks, ("$primary", "$secondary"), strict=True)
            ]
            parts.append(Content.assemble(" ", *bars, "  "))
        lines.append(Content("").join(parts))
    heads = [
        (
            f"{'[' + offset(k) + ']' if k == TARGET else offset(k):^{_COLUMN - 1}} ",
            "bold" if k == TARGET else "$dim",
        )
        for k in OFFSETS
    ]
    lines.append(Content.assemble(*heads))
    for name, split, color in (("VAL", val, "$primary"), ("OOD", ood, "$secondary")):
        numbers = [
            f"{short(value, 3) if value is not None else '–':^{_COLUMN - 1}} "
            for value in _cosines(split).values()
        ]
        lines.append(Content.assemble(*numbers, (name, color)))
    return lines


def peak(split: dict[str, Any]) -> Content:
    """`peak k=0 ✗`: the offset that won."""
    at = split.get("best_offset")
    if at is None:
        return Content("")
    won = int(at) == TARGET
    sign = ("✓", "$text-success") if won else ("✗", "$text-error bold")
    return Content.assemble((f"peak k={offset(int(at))} ", "$dim"), sign)


def offset(k: int) -> str:
    """`−1`, `0`, `+1`."""
    return f"{k:+d}".replace("-", "−") if k else "0"


def _piece(value: float | None, low: float, high: float, row: int, rows: int) -> str:
    """The part of a bar that lies in a row, counted from 1 at the bottom."""
    if value is None:
        return "·" if row == 1 else " "
    share = (value - low) / (high - low) if high > low else 1.0
    eighths = round((_FLOOR + (1.0 - _FLOOR) * share) * rows * 8)
    filled = min(max(eighths - (row - 1) * 8, 0), 8)
    return BLOCKS[filled - 1] if filled else " "


def _peak_style(k: int) -> str:
    return "$success" if k == TARGET else "$error"


def _cosines(split: dict[str, Any]) -> dict[int, float | None]:
    table = split.get("cos") or {}
    return {k: table.get(str(k)) for k in OFFSETS}
