"""All numbers of the five tests on both splits: needs, distances, trends, and what lies behind."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.geometry import Size

from lvm_tui.numbers import fixed, short, signed
from lvm_tui.state.outlook import BASELINES, baseline, beside_ridge
from lvm_tui.state.views import Fivecat, RunView
from lvm_tui.state.wording import missing_for_production
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.offset_profile import peak, profile_bars
from lvm_tui.widgets.scoreboard import (
    ROWS,
    Row,
    Standing,
    check_of,
    gap_cell,
    needed,
    number,
    readiness,
    remark,
    standing_of,
    way_to_gate,
)
from lvm_tui.widgets.text import clipped, lines, sparkline, verdict

_LABEL, _SPLIT = 14, 24
"""Cells of the first column, and of a split's value, need and distance."""

_SPLITS = ("VAL", "OOD")

_NAMES = {
    "A": "offset: where the prediction points",
    "B": "retrieval: rank of the true next chunk in its article",
    "C": "ablations: change of cosine with a spoilt context",
    "D": "rollout: fed with its own predictions",
    "E": "bins: equally coherent contexts, VAL against OOD",
}

_BARS = 5
"""Rows of the offset bars."""


class GateTable(Board[Standing]):
    """As tall as what it shows: lives in a container that scrolls."""

    def show_run(self, run: RunView | None) -> None:
        if run is not None:
            self.show(standing_of(run))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(_rows(self._slice, width)) if self._slice is not None else 1

    def draw(self, slice_: Standing, size: Size) -> Content:
        rows = _rows(slice_, size.width)
        return lines(clipped(row, size.width) for row in rows)


def _rows(standing: Standing, width: int) -> list[Content]:
    if not standing.fivecats:
        when = standing.next_epoch
        words = f"the first one comes after epoch {when}" if when else "none is planned"
        return [Content.styled(f"no 5CAT has run yet: {words}", "$dim")]
    newest = standing.fivecats[-1]
    result = newest.result
    trend = max(min((width - _LABEL - 2 * _SPLIT - 2) // 2, 16), 0)
    rows = [
        _title(standing),
        *_ready(result, standing.bias_alerts, width),
        Content(""),
        _heads(trend),
    ]
    for row in ROWS:
        if row.gate:
            rows.append(_gate(row, result))
        rows.append(_row(row, standing.fivecats, trend))
        if row.key == "mrr":
            rows += _without_context(result)
        elif row.key == "rollout":
            rows += _steps(result)
        elif row.key == "bins":
            rows += _bins(result)
    rows += [Content(""), *_offsets(result), Content("")]
    return [*rows, *_baselines(standing), *_samples(newest)]


def _title(standing: Standing) -> Content:
    newest = standing.fivecats[-1]
    parts = [
        Content.styled("5CAT", "bold"),
        Content(f"epoch {newest.epoch}"),
        Content(f"score {signed(newest.score)}" + (" · best so far" if newest.best else "")),
    ]
    if standing.testing is not None:
        parts.append(Content.styled(f"testing epoch {standing.testing.epoch}", "$text-secondary"))
    elif standing.next_epoch is not None:
        parts.append(Content.styled(f"next after epoch {standing.next_epoch}", "$dim"))
    if note := remark(newest.result):
        parts.append(Content.styled(note, "$text-warning"))
    return Content("  ").join(parts)


def _ready(result: dict[str, Any], bias_alerts: int, width: int) -> list[Content]:
    everything = len(missing_for_production(result, bias_alerts)) + 1
    head, *missing = readiness(result, bias_alerts, 1000, max(everything, 2))
    rows = [head]
    for item in missing:
        first, *more = item.wrap(max(width - 2, 20))
        rows += [first, *(Content("    ") + line for line in more)]
    return rows


def _heads(trend: int) -> Content:
    text = " " * _LABEL + "".join(f"{name:>6}   {'need':<7}{'to gate':<8}" for name in _SPLITS)
    if trend >= len("trend VAL"):
        text += f"{'trend VAL':<{trend}}  {'trend OOD':<{trend}}"
    elif trend >= len("trend"):
        text += f"{'trend':<{trend}}  {'OOD':<{trend}}"
    return Content.styled(text, "$dim")


def _gate(row: Row, result: dict[str, Any]) -> Content:
    passed = (result.get("gates") or {}).get(row.name)
    return Content.assemble((f"{row.gate} ", "bold"), verdict(passed), f" {_NAMES[row.gate]}")


def _row(row: Row, fivecats: tuple[Fivecat, ...], trend: int) -> Content:
    result = fivecats[-1].result
    line = Content(f"    {row.label:<{_LABEL - 4}}")
    for split in _SPLITS:
        if row.key == "bins" and split == "OOD":
            line += Content(" " * _SPLIT)
            continue
        check = check_of(result, row, split)
        value = number(result, split, row.key)
        need = float(check.get("need", needed(row, split)))
        shown = (signed(value) if row.sign else fixed(value)).rjust(6)
        sign = "≥" if row.op == ">=" else "≤"
        mark = verdict(None if value is None else check.get("passed"))
        need_cell = f" {sign}{short(need, sign=row.sign):<6}"
        line += Content.assemble(shown, " ", mark, (need_cell, "$dim"))
        line += gap_cell(way_to_gate(result, row, split), 8)
    if trend >= 4:
        for split in _SPLITS if row.key != "bins" else _SPLITS[:1]:
            values = [number(fivecat.result, split, row.key) for fivecat in fivecats]
            line += Content.styled(sparkline(values, trend), "$text-primary") + Content("  ")
    return line


# ------------------------------------------------------------------ what no gate asks for


def _without_context(result: dict[str, Any]) -> list[Content]:
    """Ranks among the chunks that are not the context: information."""
    if not any(_value(result, split, "r1_without_context") is not None for split in _SPLITS):
        return []
    rows = []
    for label, key in (("R@1", "r1"), ("R@5", "r5"), ("MRR", "mrr")):
        line = Content.styled(f"    {label:<{_LABEL - 4}}", "$dim")
        for split in _SPLITS:
            text = fixed(_value(result, split, f"{key}_without_context"))
            line += Content(f"{text:>6}" + " " * (_SPLIT - 6))
        rows.append(line)
    head = "    the context's five chunks left out, for information:"
    return [Content.styled(head, "$dim"), *rows]


def _steps(result: dict[str, Any]) -> list[Content]:
    """The cosine of each step of the rollout."""
    found = {split: _part(result, split).get("rollout_steps") or () for split in _SPLITS}
    return [
        Content.assemble(
            (f"    {f'step {at + 1}':<{_LABEL - 4}}", "$dim"),
            *(
                f"{fixed(steps[at]) if at < len(steps) else '':>6}" + " " * (_SPLIT - 6)
                for steps in found.values()
            ),
        )
        for at in range(max(map(len, found.values())))
    ]


def _bins(result: dict[str, Any]) -> list[Content]:
    rows = []
    for name in ("low", "normal", "high"):
        line = Content.styled(f"    {name:<{_LABEL - 4}}", "$dim")
        for split in _SPLITS:
            count = _part(result, split).get(f"{name}_n")
            text = fixed(_value(result, split, f"{name}_mean"))
            of = f"of {count:,}" if count is not None else ""
            line += Content(f"{text:>6}   ") + Content.styled(f"{of:<{_SPLIT - 9}}", "$dim")
        rows.append(line)
    return rows


def _offsets(result: dict[str, Any]) -> list[Content]:
    val, ood = _part(result, "VAL"), _part(result, "OOD")
    bars = profile_bars(val, ood, _BARS)
    if not bars:
        return []
    head = Content.styled("offsets", "bold") + Content.styled("  mean cosine at k", "$dim")
    peaks = Content("  ").join(
        Content.assemble((f"{name} ", "$dim"), peak(_part(result, name))) for name in _SPLITS
    )
    said = [
        Content.styled(f"{name}  {_part(result, name).get('message') or ''}", "")
        for name in _SPLITS
        if _part(result, name).get("message")
    ]
    return [head + Content("    ") + peaks, *bars, *said]


def _baselines(standing: Standing) -> list[Content]:
    """The same numbers of the simplest predictors, where the run's forecast has them."""
    forecast, result = standing.forecast, standing.fivecats[-1].result
    heads = "".join(f"{name:>12}" for name in ("this model", *BASELINES.values()))
    rows = []
    for split in _SPLITS:
        for row in ROWS:
            found = [baseline(forecast, name, split, row.key) for name in BASELINES]
            if row.key == "bins" or all(value is None for value in found):
                continue
            show = signed if row.sign else fixed
            cells = "".join(
                f"{show(value):>12}" for value in (number(result, split, row.key), *found)
            )
            rows.append(Content.assemble((f"    {split} {row.label:<10}", "$dim"), cells))
    if not rows:
        return []
    beside = beside_ridge(forecast, result)
    words = f"  {beside.words}" if beside is not None else ""
    head = Content.assemble(("baselines", "bold"), (words, "$dim"))
    return [head, Content.styled(" " * 18 + heads, "$dim"), *rows, Content("")]


def _samples(fivecat: Fivecat) -> list[Content]:
    rows = []
    for split, counts in (fivecat.result.get("samples") or {}).items():
        skipped = counts.get("skipped") or {}
        text = f"{split}  {counts.get('used', 0):,} of {counts.get('asked', 0):,} samples"
        if skipped:
            text += " · left out: " + ", ".join(f"{why} {n:,}" for why, n in skipped.items())
        rows.append(Content.styled(text, "$dim"))
    return rows


def _part(result: dict[str, Any], split: str) -> dict[str, Any]:
    return result.get(split) or {}


def _value(result: dict[str, Any], split: str, key: str) -> float | None:
    value = _part(result, split).get(key)
    return float(value) if value is not None else None
