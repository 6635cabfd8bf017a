"""What is in production, what could be, and what was done, as rows."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from lvm.promotion.state import Production
from lvm.runs.commands import LedgerEntry
from lvm_tui.numbers import fixed, signed
from lvm_tui.state.promotion import CandidateView
from lvm_tui.widgets.row_table import Cell, Column, Row
from lvm_tui.widgets.scoreboard import number

_PADDING = 2
_WIDE = 108

_ROLLOUT = Column("rollout", 7, right=True)
"""Left out of the checkpoints where there is little room: it stands in the comparison below."""

_NUMBERS = (
    Column("margin", 6, right=True),
    Column("OOD", 6, right=True),
    _ROLLOUT,
    Column("gates", 7),
)


def _spread(fixed_: list[Column], last: str, width: int) -> tuple[Column, ...]:
    used = sum(column.width + _PADDING for column in fixed_)
    return (*fixed_, Column(last, max(width - used - _PADDING, 8)))


def production_layout(width: int) -> tuple[Column, ...]:
    since = [Column("since", 11)] if width >= _WIDE else []
    return _spread(
        [Column("", 1), Column("service", 12), *_NUMBERS, *since], "in production", width
    )


def production_row(it: Production, width: int) -> Row:
    sign, tone = ("✓", "good") if it.file else ("■", "dim")
    if it.trouble:
        sign, tone = "▲", "notice"
    since = [Cell(_when(it.metadata), "dim")] if width >= _WIDE else []
    return Row(
        it.name,
        (Cell(sign, tone), Cell(it.name, "strong"), *_numbers(it.fivecat), *since, _what(it)),
    )


def _what(it: Production) -> Cell:
    if it.file is None:
        return Cell(it.trouble or "nothing yet", "notice" if it.trouble else "dim")
    name = f"{it.run}/{it.file.name}" if it.run else it.file.name
    if it.trouble:
        return Cell(f"{name}: {it.trouble}", "notice")
    if not it.metadata:
        return Cell(f"not promoted by lvm: {name}", "dim")
    why = " (overridden)" if it.metadata.get("override") else ""
    return Cell(name + why)


def _when(metadata: dict[str, Any]) -> str:
    at = str(metadata.get("at", ""))
    return at[5:16].replace("T", " ") or "–"


def candidate_layout(width: int) -> tuple[Column, ...]:
    wide = width >= _WIDE
    cosine = [Column("val cos", 7, right=True)] if wide else []
    columns = [Column("", 1), Column("checkpoint", 18), Column("epoch", 5, True), *cosine]
    numbers = [column for column in _NUMBERS if wide or column is not _ROLLOUT]
    return _spread([*columns, *numbers], "run", width)


def candidate_row(view: CandidateView, width: int) -> Row:
    it = view.candidate
    ready = bool(view.numbers.result.get("ready"))
    sign, tone = ("●", "good") if it.in_production_as else ("✓", "good") if ready else (" ", "")
    cosine = it.run.best_val_cosine if it.epoch == it.run.best_epoch else None
    cos = number(view.numbers.result, "VAL", "cos")
    wide = [Cell(fixed(cosine if cos is None else cos))] if width >= _WIDE else []
    numbers = dict(zip(_NUMBERS, _numbers(view.numbers.result), strict=True))
    shown = [cell for column, cell in numbers.items() if wide or column is not _ROLLOUT]
    run = it.run.name if wide else short_name(it.run.name)
    names = f"  ● in production as {', '.join(it.in_production_as)}" if it.in_production_as else ""
    return Row(
        view.key,
        (
            Cell(sign, tone),
            Cell(it.path.name.removesuffix(".pt"), "strong"),
            Cell(str(it.epoch or "–")),
            *wide,
            *shown,
            Cell(run + names),
        ),
    )


def short_name(run: str) -> str:
    """`gru 22:30:00`, or the name itself where it is not one of ours."""
    model, _, stamp = run.partition("_5cat_")
    time = stamp.partition("_")[2]
    if len(time) != 6 or not time.isdigit():
        return run
    return f"{model} {time[:2]}:{time[2:4]}:{time[4:]}"


def _numbers(result: dict[str, Any]) -> tuple[Cell, ...]:
    """VAL and OOD margin, rollout, gates; dashes where no 5CAT is known."""
    if not result:
        return tuple(Cell("–", "dim") for _ in _NUMBERS)
    val, ood = result["VAL"], result["OOD"]
    ready = bool(result.get("ready"))
    gates = f"{result['passed']}/5" + (" ✓" if ready else "")
    return (
        _margin(val["margin"]),
        _margin(ood["margin"]),
        Cell(fixed(val["rollout"])),
        Cell(gates, "good" if ready else ""),
    )


def _margin(value: float | None) -> Cell:
    return Cell(signed(value), "bad" if (value or 0.0) < 0 else "")


KINDS = {
    "promoted": ("✓", "good"),
    "rolled_back": ("✓", "good"),
    "refused": ("✗", "notice"),
    "failed": ("✗", "bad"),
    "undone": ("■", "notice"),
    "tested": ("·", "dim"),
}


def ledger_layout(width: int) -> tuple[Column, ...]:
    columns = [Column("", 1), Column("entry", 5, True), Column("when", 11), Column("what", 11)]
    return _spread([*columns, Column("service", 12)], "file, by whom", width)


def ledger_row(entry: LedgerEntry, zone: tzinfo | None) -> Row:
    sign, tone = KINDS.get(entry.kind, ("·", ""))
    document = entry.document
    what = str(document.get("file") or document.get("sha256", ""))
    by = document.get("by")
    missing = document.get("missing") or []
    override = (document.get("override") or {}).get("reason")
    words = what + (f", {by}" if by else "")
    if entry.kind == "refused" and missing:
        words += f": {missing[0]}"
    if override:
        words += f", overridden: {override}"
    when = datetime.fromtimestamp(entry.time, zone).strftime("%m-%d %H:%M")
    return Row(
        str(entry.id),
        (
            Cell(sign, tone),
            Cell(str(entry.id)),
            Cell(when, "dim"),
            Cell(entry.kind.replace("_", " "), tone),
            Cell(entry.model, "strong"),
            Cell(words),
        ),
    )
