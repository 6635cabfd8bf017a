"""The direction of the data, measured before any training: is it worth hours?"""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.geometry import Size

from lvm_tui.numbers import fixed, short, signed
from lvm_tui.state.views import Data
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import BLOCKS, clipped, lines, verdict

_ORDER = "order"
"""The check whose value is the smallest step of the profile."""

_SIGNED = ("signal", _ORDER)


class QualityPanel(Board[Data | None]):
    """Coherence, signal and order with their needs, and what to do when they fail."""

    def draw(self, slice_: Data | None, size: Size) -> Content:
        if slice_ is None:
            return Content.styled("the data has not been looked at yet", "$dim")
        return lines(clipped(row, size.width) for row in quality_rows(slice_, size.width))


class QualityLine(Board[Data | None]):
    """All checks in one line, under the charts."""

    def draw(self, slice_: Data | None, size: Size) -> Content:
        if slice_ is None:
            return Content("")
        return clipped(quality_line(slice_), size.width)


def quality_rows(data: Data, width: int) -> list[Content]:
    """A heading, one row a check, the profile by position, and the words."""
    total = sum(data.samples.values())
    samples = " · ".join(f"{name} {count:,}" for name, count in data.samples.items())
    rows = [
        Content.assemble((data.source, "bold"), f"  {total:,} samples ({samples})"),
        Content(""),
    ]
    rows += [_check(check) for check in data.quality.get("checks") or ()]
    positions = data.quality.get("position_to_target") or ()
    if positions:
        rows.append(_profile([float(value) for value in positions]))
    rows += [Content(""), *_words(data, width)]
    return rows


def quality_line(data: Data) -> Content:
    """All checks in one line, for the dashboard."""
    parts = [Content.styled("data", "$dim")]
    for check in data.quality.get("checks") or ():
        value = _value(check)
        parts.append(
            Content.assemble((f"{check.get('name')} ", "$dim"), f"{value} ")
            + verdict(check.get("passed"))
        )
    return Content("  ").join(parts)


def _check(check: dict[str, Any]) -> Content:
    name = str(check.get("name"))
    need = check.get("need")
    if name == _ORDER:
        text = "every step above 0"
    elif isinstance(need, int | float):
        text = f"≥ {short(float(need), sign=name in _SIGNED)}"
    else:
        text = str(need)
    return Content.assemble(
        f"  {name:<11}{_value(check):>8}  ",
        verdict(check.get("passed")),
        (f"  needs {text}", "$dim"),
    )


def _value(check: dict[str, Any]) -> str:
    value = check.get("value")
    if isinstance(value, int | float):
        return signed(value) if check.get("name") in _SIGNED else fixed(value)
    return str(value) if value is not None else "–"


def _profile(positions: list[float]) -> Content:
    low, high = min(positions), max(positions)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    bars = "  ".join(
        f"{BLOCKS[round((value - low) * scale)]} {fixed(value)}" for value in positions
    )
    return Content.assemble(("  to target  ", "$dim"), bars, ("  oldest → last", "$dim"))


def _words(data: Data, width: int) -> list[Content]:
    words = str(data.quality.get("words") or "")
    style = "$text-success" if data.passed else "$text-error bold"
    rows = [Content.styled(words, style)] if words else []
    if data.overridden:
        rows.append(Content.styled("failed, and told to go on (accept_bad_data)", "$text-warning"))
    fix = str(data.quality.get("fix") or "")
    if fix:
        rows += Content(f"→ {fix}").wrap(max(width, 20))
    return rows
