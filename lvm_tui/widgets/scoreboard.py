"""The five gates: every number of VAL and OOD, its need, its verdict, its trend."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from textual.content import Content
from textual.geometry import Size

from lvm.settings import Thresholds
from lvm_tui.numbers import fixed, short, signed
from lvm_tui.state.outlook import beside_ridge
from lvm_tui.state.views import Fivecat, Forecast, Frame, RunView, Testing
from lvm_tui.state.wording import missing_for_production
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.offset_profile import profile_bars, profile_line
from lvm_tui.widgets.text import clickable, clipped, lines, sparkline, spread, verdict


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the board: which number, under which name its need is kept."""

    gate: str
    """A to E at the first row of a gate, else ""."""
    name: str
    """The gate's name in a result."""
    label: str
    key: str
    need: str
    """Name of the check; in Thresholds it may end in _val and _ood."""
    op: Literal[">=", "<="] = ">="
    sign: bool = False


ROWS = (
    Row("A", "offset", "cos", "cos", "cos"),
    Row("", "offset", "margin", "margin", "margin", sign=True),
    Row("B", "retrieval", "R@1", "r1", "r1"),
    Row("", "retrieval", "R@5", "r5", "r5"),
    Row("", "retrieval", "MRR", "mrr", "mrr"),
    Row("C", "ablations", "shuffled", "shuffled", "shuffled", "<=", sign=True),
    Row("", "ablations", "reversed", "reversed", "reversed", "<=", sign=True),
    Row("", "ablations", "one out", "leave_one_out", "leave_one_out", "<=", sign=True),
    Row("", "ablations", "repeated", "repeat_last", "repeat_last", "<=", sign=True),
    Row("", "ablations", "crossed", "cross_article", "cross_article", "<=", sign=True),
    Row("D", "rollout", "rollout", "rollout", "rollout"),
    Row("E", "bins", "bins", "bins", "bins_difference", "<="),
)

_TABLE = 42
"""Cells of a row without its trend."""

_ROOMY = 56
"""Cells that hold what is missing in full."""

_NEEDS = re.compile(r", needs \S+ \S+: short by")
"""What is left out where there is less room; the need stands in the table."""

_GAP = 8
"""Cells of the distance to the gate, where there is room for it."""

_TREND = 12
"""Cells of the widest trend."""

_MISSING = 6
"""Rows that what is missing takes at most; only beyond it there is room for the baselines."""

_AIRY = 40
"""Rows from which on the gates stand apart."""

_BARS = (4, 8)
"""Rows of the lowest and of the tallest offset bars."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the board shows."""

    fivecats: tuple[Fivecat, ...]
    next_epoch: int | None
    testing: Testing | None
    bias_alerts: int
    forecast: Forecast | None = None
    key: str = ""


def standing_of(run: RunView, key: str = "") -> Standing:
    return Standing(run.fivecats, run.next_fivecat, run.testing, run.bias_alerts, run.forecast, key)


class Scoreboard(Board[Standing]):
    def show_frame(self, frame: Frame, key: str = "") -> None:
        """key: shows all the numbers; named in the title where there is room."""
        if frame.run is not None:
            self.show(standing_of(frame.run, key))

    def draw(self, slice_: Standing, size: Size) -> Content:
        width, height = size.width, size.height
        result = slice_.fivecats[-1].result if slice_.fivecats else {}
        val, ood = result.get("VAL") or {}, result.get("OOD") or {}
        gap = _GAP if width >= _TABLE + _GAP + 6 else 0
        trend = min(_TREND, width - _TABLE - gap)
        rows = [_title(slice_, width), _heads(gap, trend)]
        airy = height >= _AIRY
        for row in ROWS:
            if airy and row.gate and row is not ROWS[0]:
                rows.append(Content(""))
            rows.append(_row(row, slice_.fivecats, gap, trend))
        spare = height - len(rows)
        if result and spare >= _BARS[0] + 8 and width >= 52:
            bars = min(max(spare - 14, _BARS[0]), _BARS[1])
            rows += [Content(""), *profile_bars(val, ood, bars), Content("")]
        else:
            rows.append(profile_line("VAL", val, width))
            if spare > 3:
                rows.append(profile_line("OOD", ood, width))
        beside = beside_ridge(slice_.forecast, result)
        if beside is not None and height - len(rows) > _MISSING:
            rows.append(Content.styled(f"VAL cosine {beside.short_words}", "$dim"))
        rows += readiness(result, slice_.bias_alerts, width, height - len(rows))
        return lines(clipped(row, width) for row in rows)


def _title(standing: Standing, width: int) -> Content:
    result = standing.fivecats[-1].result if standing.fivecats else {}
    note = remark(result)
    roomy = width >= _TABLE + 3 and not note
    parts = [Content.styled("5CAT gates" if roomy else "5CAT", "bold")]
    if standing.fivecats:
        parts.append(Content(f"epoch {standing.fivecats[-1].epoch}"))
    if standing.testing is not None:
        parts.append(Content.styled(f"testing epoch {standing.testing.epoch}", "$text-secondary"))
    elif standing.next_epoch is not None:
        words = "next after epoch" if roomy else "next"
        parts.append(Content.styled(f"{words} {standing.next_epoch}", "$dim"))
    title = Content("  ").join(parts)
    if note:
        return spread(title, Content.styled(note, "$text-warning"), width)
    crowded = not roomy and len(standing.fivecats) > 1
    more = Content("")
    if standing.key:
        words = "" if crowded else "all"
        more = clickable(standing.key, words, "screen.open('gates')", "$dim")
    if not crowded:
        return spread(title, more, width)
    margins = [number(fivecat.result, "VAL", "margin") for fivecat in standing.fivecats]
    trend = Content.assemble(("margin ", "$dim"), (sparkline(margins, 6), "$text-primary"))
    return spread(title, trend + Content(" ") + more, width)


def remark(result: dict[str, Any]) -> str:
    """What a reader of these numbers must know."""
    if result.get("origin") == "target":
        return "k from the target"
    return "order-blind model" if result.get("order_blind") else ""


def _heads(gap: int, trend: int) -> Content:
    text = f"{'':12}{'VAL':>6}   {'need':<6}{'OOD':>6}   {'need':<6}"
    text += f"{'to gate':<{gap}}" if gap else ""
    return Content.styled(text + ("trend" if trend >= 5 else ""), "$dim")


def _row(row: Row, fivecats: tuple[Fivecat, ...], gap: int, trend: int) -> Content:
    result = fivecats[-1].result if fivecats else {}
    gate = (result.get("gates") or {}).get(row.name)
    mark = verdict(gate) if row.gate and gate is not None else Content(" ")
    cells = [Content.assemble((f"{row.gate:<1}", "bold"), mark, f" {row.label:<9}")]
    for split in ("VAL", "OOD"):
        if row.key == "bins" and split == "OOD":
            cells.append(Content(" " * 15))
            continue
        check = check_of(result, row, split)
        need = check.get("need", needed(row, split))
        value = number(result, split, row.key)
        shown = (signed(value) if row.sign else fixed(value)).rjust(6)
        passed = None if value is None else check.get("passed")
        sign = "≥" if row.op == ">=" else "≤"
        cells.append(
            Content.assemble(
                shown,
                " ",
                verdict(passed) if result else Content(" "),
                (f" {sign}{short(float(need), sign=row.sign):<5}", "$dim"),
            )
        )
    if gap:
        ways = [way_to_gate(result, row, split) for split in ("VAL", "OOD")]
        known = [way for way in ways if way is not None]
        cells.append(gap_cell(min(known) if known else None, gap))
    if trend >= 3:
        values = [number(fivecat.result, "VAL", row.key) for fivecat in fivecats]
        cells.append(Content.styled(sparkline(values, trend), "$text-primary"))
    return Content("").join(cells)


def check_of(result: dict[str, Any], row: Row, split: str) -> dict[str, Any]:
    """The number as the battery judged it: need, passed, short_by; {} before the first one."""
    for check in result.get("checks") or ():
        if (check["gate"], check["name"], check["split"]) == (row.name, row.need, split):
            return dict(check)
    return {}


def needed(row: Row, split: str) -> float:
    """The default need, before a battery has said by which it judges."""
    needs = Thresholds().to_json()
    return float(needs.get(row.need, needs.get(f"{row.need}_{split.lower()}", 0.0)))


def way_to_gate(result: dict[str, Any], row: Row, split: str) -> float | None:
    """How far beyond its need a number is; negative: short of it. None: not measured."""
    value = number(result, split, row.key)
    if value is None or (row.key == "bins" and split == "OOD"):
        return None
    need = float(check_of(result, row, split).get("need", needed(row, split)))
    return value - need if row.op == ">=" else need - value


def gap_cell(way: float | None, width: int) -> Content:
    """`+.061` of room, `−.204` still to go."""
    if way is None:
        return Content(" " * width)
    style = "$dim" if way >= 0 else "$text-error"
    return Content.styled(f"{short(way, 3, sign=True):<{width}}", style)


def number(result: dict[str, Any], split: str, key: str) -> float | None:
    """A number of a 5CAT document; None when it was not measured."""
    part = result.get(split) or {}
    if key == "cos":
        value = (part.get("cos") or {}).get("1")
    elif key == "bins":
        val, ood = (result.get(name) or {} for name in ("VAL", "OOD"))
        first, second = val.get("normal_mean"), ood.get("normal_mean")
        value = None if first is None or second is None else abs(first - second)
    else:
        value = part.get(key)
    return float(value) if value is not None else None


def readiness(result: dict[str, Any], bias_alerts: int, width: int, room: int) -> list[Content]:
    """Ready or not, and what is missing: all of it, or the most important in one line."""
    if not result:
        return [Content.styled("no 5CAT yet: its direction is unknown", "$dim")]
    missing = missing_for_production(result, bias_alerts)
    passed = result.get("passed", 0)
    if result.get("ready") and not bias_alerts:
        return [
            Content.assemble(("READY for production ✓", "$text-success bold"), f" · {passed}/5")
        ]
    if room < 2:
        return [
            Content.assemble(
                ("not ready ✗", "$text-error bold"), f" {passed}/5 · {_short_of(result, missing)}"
            )
        ]
    head = Content.assemble(
        ("not ready for production ✗", "$text-error bold"), f" · gates {passed}/5"
    )
    if width < _ROOMY:
        missing = [_NEEDS.sub(" short by", item) for item in missing]
    shown = missing[: room - 1]
    if len(missing) > len(shown):
        shown[-1] += f"  (+{len(missing) - len(shown)} more)"
    return [head, *(Content(f"  {item}") for item in shown)]


def _short_of(result: dict[str, Any], missing: list[str]) -> str:
    need = (result.get("thresholds") or {}).get("ready_margin_val", Thresholds().ready_margin_val)
    margin = number(result, "VAL", "margin")
    if margin is not None and margin < need:
        return f"margin short by {short(need - margin, 3)}"
    return missing[0] if missing else ""
