"""Mean cosine of the predictions with the chunks around: where does the model point?"""

from __future__ import annotations

from typing import Any

from textual.content import Content

from lvm_tui.numbers import fixed
from lvm_tui.widgets.text import BLOCKS

OFFSETS = range(-3, 4)
TARGET = 1


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
        best = value is not None and value == high
        style = ("$text-success bold" if k == TARGET else "$text-error bold") if best else ""
        label = f"{k:+d}".replace("-", "−") if k else "0"
        if k == TARGET:
            part = Content.assemble(("[", "bold"), f"{label} ", (block, style), ("]", "bold"))
        else:
            part = Content.assemble((f"{label} ", "$dim"), (block, style))
        parts.append(part)
    line = Content(" ").join(parts)
    at = split.get("best_offset")
    if at is not None and line.cell_length + 12 <= width:
        text = f"{at:+d}".replace("-", "−") if at else "0"
        line += Content.styled(f"  peak k={text} ", "$dim")
        line += (
            Content.styled("✓", "$text-success")
            if at == TARGET
            else Content.styled("✗", "$text-error bold")
        )
        peak = cosines.get(int(at))
        if line.cell_length + 8 <= width:
            line += Content.styled(f" {fixed(peak)}", "$dim")
    return line


def _cosines(split: dict[str, Any]) -> dict[int, float | None]:
    table = split.get("cos") or {}
    return {k: table.get(str(k)) for k in OFFSETS}
