"""What is said above the tables, a candidate beside production, and a change as it goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from textual.content import Content
from textual.geometry import Size

from lvm.promotion.state import Pending, Production
from lvm_tui.numbers import duration, fixed, signed
from lvm_tui.state.promotion import CandidateView, ChangeView, StepView, Stock
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.scoreboard import number
from lvm_tui.widgets.text import NO, YES, bar, clipped, lines, spread


@dataclass(frozen=True, slots=True)
class Overview:
    stock: Stock
    busy: str


class PromoteLine(Board[Overview]):
    def draw(self, slice_: Overview, size: Size) -> Content:
        live = sum(1 for each in slice_.stock.production if each.file is not None)
        left = Content.assemble(
            ("Promote  ", "bold"), f"{live} of {len(slice_.stock.production)} in production"
        )
        ready = sum(1 for e in slice_.stock.candidates if e.numbers.result.get("ready"))
        right = Content.styled(slice_.busy or f"{ready} ready by their 5CAT in training", "$dim")
        return spread(left, right, size.width)


class PendingLine(Board[Pending]):
    """What a killed promotion left, and the keys that end it."""

    def draw(self, slice_: Pending, size: Size) -> Content:  # noqa: ARG002 - it wraps by itself
        keys = Content.assemble(
            ("f", "bold $accent @click=screen.finish"),
            (" finish it", "@click=screen.finish"),
            "   ",
            ("z", "bold $accent @click=screen.undo"),
            (" undo it", "@click=screen.undo"),
        )
        return lines([Content.assemble(("▲ ", "bold"), slice_.words), keys])


_ROWS: tuple[tuple[str, str, str, str, bool], ...] = (
    ("VAL cosine", "VAL", "cos", "", False),
    ("VAL margin", "VAL", "margin", "ready_margin_val", True),
    ("OOD margin", "OOD", "margin", "ready_margin_ood", True),
    ("VAL rollout", "VAL", "rollout", "ready_rollout_val", False),
    ("OOD rollout", "OOD", "rollout", "", False),
    ("VAL R@1", "VAL", "r1", "", False),
    ("VAL MRR", "VAL", "mrr", "", False),
)
"""Label, split, number, the need of production if it is one, whether it has a sign."""


@dataclass(frozen=True, slots=True)
class Comparison:
    candidate: CandidateView
    production: Production | None


class CompareBoard(Board[Comparison]):
    """Numbers of both, the change, and the need."""

    def draw(self, slice_: Comparison, size: Size) -> Content:
        new, old = slice_.candidate.numbers.result, _old(slice_.production)
        name = slice_.production.name if slice_.production else "production"
        head = f"{'':12}{'candidate':>11}{name[:11]:>13}{'change':>9}   need"
        rows = [Content.styled(head, "$dim")]
        for label, split, key, need, sign in _with_room(size.height - 3):
            values = (number(new, split, key), number(old, split, key))
            rows.append(_row(label, *values, sign, new, need))
        rows.append(_gates(new, old))
        rows.insert(len(rows) if new else 1, _verdict(new))
        return lines(clipped(row, size.width) for row in rows)


def _with_room(rows: int) -> list[tuple[str, str, str, str, bool]]:
    """Of the numbers those that fit; production needs some of them, the rest is for information."""
    shown = list(_ROWS)
    for each in reversed(_ROWS):
        if len(shown) > rows and not each[3]:
            shown.remove(each)
    return shown


def _verdict(result: dict[str, Any]) -> Content:
    """What is missing for production, or that nothing is."""
    if not result:
        return Content.styled("no 5CAT ran at this epoch: the full one will tell", "$dim")
    missing = list(result.get("missing") or [])
    words = "ready by its 5CAT in training; the full one decides"
    tone = "$text-success" if result.get("ready") else "$text-warning"
    return Content.styled("missing: " + missing[0] if missing else words, tone)


def _old(production: Production | None) -> dict[str, Any]:
    return production.fivecat if production is not None else {}


def _row(
    label: str,
    new: float | None,
    old: float | None,
    sign: bool,
    result: dict[str, Any],
    need: str,
) -> Content:
    written = signed if sign else fixed
    change = None if new is None or old is None else new - old
    least = result.get("thresholds", {}).get(need) if need else None
    row = Content.assemble((f"{label:12}", "$dim"), f"{written(new):>11}{written(old):>13}")
    tone = "" if not change else "$text-success" if change > 0 else "$text-error"
    row += Content.styled(f"{signed(change):>9}", tone)
    if least is not None:
        passed = new is not None and new >= least
        row += Content.assemble("   ", YES if passed else NO, f" ≥ {written(least, 2)}")
    return row


def _gates(new: dict[str, Any], old: dict[str, Any]) -> Content:
    def count(result: dict[str, Any]) -> str:
        return f"{result['passed']}/5" if result else "–"

    row = Content.assemble(("gates       ", "$dim"), f"{count(new):>11}{count(old):>13}{'':9}")
    least = new.get("thresholds", {}).get("ready_gates")
    if least is not None:
        row += Content.assemble("   ", YES if new["passed"] >= least else NO, f" ≥ {least}")
    return row


WORDS = {
    "load": "load it as a service would, predict once",
    "fivecat": "full 5CAT of this very file",
    "policy": "ready for production?",
    "plan": "what will change",
    "backup": "keep what stood there",
    "link": "the new link",
    "metadata": "metadata beside it",
    "service": "restart the service, verify its answer",
    "ledger": "into the ledger",
    "put_back": "put the old one back",
    "service_back": "the service with the old one",
}

_ACTIONS = {
    "promote": "Promote",
    "rollback": "Roll back",
    "finish": "Finish the promotion of",
    "undo": "Undo the promotion of",
}

_MARKS = {
    "done": ("✓", "$text-success"),
    "failed": ("✗", "$text-error bold"),
    "skipped": ("–", "$dim"),
    "started": ("▶", "$text-primary"),
}


class StepsBoard(Board[ChangeView]):
    def draw(self, slice_: ChangeView, size: Size) -> Content:
        rows = [
            Content.assemble(
                (f"{_ACTIONS.get(slice_.action, slice_.action)} {slice_.name}  ", "bold"),
                (_short(slice_.file), ""),
                (f"  by {slice_.by}", "$dim"),
            )
        ]
        rows += [_step(each, slice_, size.width) for each in slice_.steps]
        rows += _end(slice_)
        return lines(clipped(row, size.width) for row in rows)


def _short(file: str) -> str:
    path = PurePath(file)
    return "/".join(path.parts[-2:])


def _step(step: StepView, change: ChangeView, width: int) -> Content:
    mark, tone = _MARKS.get(step.state, ("·", ""))
    row = Content.assemble((f" {mark} ", tone), WORDS.get(step.step, step.step))
    going = step.state == "started" and change.finished is None
    if step.step == "fivecat" and going and change.total:
        share = change.done / change.total
        row += Content.assemble("  ", bar(share, min(30, width // 4)), f" {share:4.0%}")
    if step.words:
        row += Content.styled(f"  {step.words}", "$dim")
    if step.seconds >= 0.1:
        row += Content.styled(f"  {duration(step.seconds)}", "$dim")
    return row


def _end(change: ChangeView) -> list[Content]:
    if change.finished is None:
        return []
    end = change.finished
    tone = "$text-success bold" if change.good else "$text-error bold"
    rows = [Content.styled(f" {'✓' if change.good else '✗'} {end.words or end.outcome}", tone)]
    if end.alarm:
        rows.insert(0, Content.styled(" ▲▲ ALARM: a person must look now", "$text-error bold"))
    rows += [Content.styled(f"   missing: {each}", "$text-warning") for each in end.missing]
    if end.outcome == "refused" and end.missing:
        rows.append(
            Content.styled("   O promotes it all the same, for a reason that you type", "$dim")
        )
    return rows
