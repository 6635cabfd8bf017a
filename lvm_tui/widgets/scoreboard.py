"""The five gates: every number of VAL and OOD, its need, its verdict, its trend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from textual.content import Content
from textual.geometry import Size

from lvm.settings import Thresholds
from lvm_tui.numbers import fixed, short, signed
from lvm_tui.state.views import Fivecat, Frame, Testing
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.offset_profile import profile_line
from lvm_tui.widgets.text import lines, sparkline, verdict


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the board: which number, under which name its need is kept."""

    gate: str
    label: str
    key: str
    need: str
    """Name in Thresholds, without _val and _ood where both splits have their own."""
    op: Literal[">=", "<="] = ">="
    sign: bool = False


ROWS = (
    Row("A", "cos", "cos", "cos"),
    Row("", "margin", "margin", "margin", sign=True),
    Row("B", "R@1", "r1", "r1"),
    Row("", "R@5", "r5", "r5"),
    Row("", "MRR", "mrr", "mrr"),
    Row("C", "shuffled", "shuffled", "shuffled", "<=", sign=True),
    Row("", "reversed", "reversed", "reversed", "<=", sign=True),
    Row("", "one out", "leave_one_out", "leave_one_out", "<=", sign=True),
    Row("", "repeated", "repeat_last", "repeat_last", "<=", sign=True),
    Row("", "crossed", "cross_article", "cross_article", "<=", sign=True),
    Row("D", "rollout", "rollout", "rollout"),
    Row("E", "bins", "bins", "bins_difference", "<="),
)

_TREND = 12
"""Cells of the widest trend."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the board shows."""

    fivecats: tuple[Fivecat, ...]
    next_epoch: int | None
    testing: Testing | None
    bias_alerts: int


class Scoreboard(Board[Standing]):
    def show_frame(self, frame: Frame) -> None:
        run = frame.run
        if run is not None:
            self.show(Standing(run.fivecats, run.next_fivecat, run.testing, run.bias_alerts))

    def draw(self, slice_: Standing, size: Size) -> Content:
        width, height = size.width, size.height
        rows = [_title(slice_, width)]
        result = slice_.fivecats[-1].result if slice_.fivecats else {}
        needs = {**Thresholds().to_json(), **(result.get("thresholds") or {})}
        trend = min(_TREND, width - 42)
        rows.append(_heads(trend))
        rows += [_row(row, slice_.fivecats, needs, trend) for row in ROWS]
        rows.append(profile_line("VAL", result.get("VAL") or {}, width))
        if height > len(rows) + 1:
            rows.append(profile_line("OOD", result.get("OOD") or {}, width))
        rows += _readiness(result, slice_.bias_alerts, width, height - len(rows))
        return lines(row.truncate(width, ellipsis=True) for row in rows)


def _title(standing: Standing, width: int) -> Content:
    parts = [Content.styled("5CAT gates", "bold")]
    if standing.fivecats:
        parts.append(Content(f"epoch {standing.fivecats[-1].epoch}"))
    if standing.testing is not None:
        parts.append(Content.styled(f"testing epoch {standing.testing.epoch}", "$text-secondary"))
    elif standing.next_epoch is not None:
        parts.append(Content.styled(f"next after epoch {standing.next_epoch}", "$dim"))
    return Content("  ").join(parts).truncate(width, ellipsis=True)


def _heads(trend: int) -> Content:
    text = f"{'':12}{'VAL':>6}   {'need':<6}{'OOD':>6}   {'need':<6}"
    return Content.styled(text + ("trend" if trend >= 5 else ""), "$dim")


def _row(row: Row, fivecats: tuple[Fivecat, ...], needs: dict[str, Any], trend: int) -> Content:
    result = fivecats[-1].result if fivecats else {}
    cells = [Content.assemble((f"{row.gate:<2}", "bold"), f"{row.label:<9} ")]
    for split in ("VAL", "OOD"):
        if row.key == "bins" and split == "OOD":
            cells.append(Content(" " * 15))
            continue
        need = needs.get(row.need, needs.get(f"{row.need}_{split.lower()}"))
        value = number(result, split, row.key)
        shown = (signed(value) if row.sign else fixed(value)).rjust(6)
        passed = None if value is None else _passes(value, need, row.op)
        sign = "≥" if row.op == ">=" else "≤"
        limit = "" if need is None else short(need, sign=row.sign)
        cells.append(
            Content.assemble(
                shown,
                " ",
                verdict(passed) if result else Content(" "),
                (f" {sign}{limit:<5}", "$dim"),
            )
        )
    if trend >= 3:
        values = [number(fivecat.result, "VAL", row.key) for fivecat in fivecats]
        cells.append(Content.styled(sparkline(values, trend), "$text-primary"))
    return Content("").join(cells)


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


def _passes(value: float, need: float | None, op: str) -> bool | None:
    if need is None:
        return None
    return value >= need if op == ">=" else value <= need


def _readiness(result: dict[str, Any], bias_alerts: int, width: int, room: int) -> list[Content]:
    if not result:
        return [Content.styled("no 5CAT yet: direction unknown", "$dim")]
    missing = [str(item) for item in result.get("missing") or ()]
    if bias_alerts:
        missing.append(f"{bias_alerts} backward-bias alerts in the history, needs 0")
    passed = result.get("passed", 0)
    gates = Content.styled(f"gates {passed}/5", "bold")
    if result.get("ready") and not bias_alerts:
        ready = Content.styled("READY for production ✓", "$text-success bold")
        return [ready + Content(" · ") + gates]
    head = Content.styled("not ready ✗", "$text-error bold") + Content(" · ") + gates
    if not missing:
        return [head]
    if room < 2 or len(missing) == 1:
        more = f" (+{len(missing) - 1})" if len(missing) > 1 else ""
        return [(head + Content(f" · {missing[0]}{more}")).truncate(width, ellipsis=True)]
    shown = missing[: room - 1]
    return [head] + [Content(f"  {item}") for item in shown]
