"""Runs side by side: the numbers of their best 5CAT, and the settings that differ."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.geometry import Size

from lvm.settings import Thresholds
from lvm_tui.numbers import fixed, rate, signed
from lvm_tui.state.catalog import Details, differing, titles
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.scoreboard import ROWS, Row, number
from lvm_tui.widgets.text import clipped, lines, verdict

_LABEL = 15
"""Cells of the first column, if no name needs more."""

_NARROWEST, _WIDEST = 9, 24
"""Cells of a run's column."""

_PAIR = 19
"""Cells of a column from which on VAL and OOD stand side by side."""

_SPLITS = ("VAL", "OOD")


class Gates(Board[tuple[Details, ...]]):
    """Each number of VAL and OOD with its verdict; the best of all runs is bold."""

    def draw(self, slice_: tuple[Details, ...], size: Size) -> Content:
        if not any(run.result for run in slice_):
            return Content.styled("no 5CAT has run yet", "$dim")
        width = _column(slice_, size.width - _LABEL)
        rows = [_heads(slice_, _LABEL, width)]
        if width >= _PAIR:
            heads = f"{'VAL':>6}   {'OOD':>6}".ljust(width) * len(slice_)
            rows.append(Content.styled(" " * _LABEL + heads, "$dim"))
            rows += [_row(slice_, row, _SPLITS, width) for row in ROWS]
        else:
            rows += [_row(slice_, row, (split,), width) for row in ROWS for split in _splits(row)]
        rows.append(_passed(slice_, width))
        return lines(clipped(line, size.width) for line in rows)


class Settings(Board[tuple[Details, ...]]):
    """Of several runs what differs; of one run everything."""

    def draw(self, slice_: tuple[Details, ...], size: Size) -> Content:
        if len(slice_) == 1:
            return _all_settings(slice_[0], size.width)
        found = differing(slice_)
        label = max([_LABEL, *(len(name) + 2 for name in found)])
        width = _column(slice_, size.width - label)
        rows = [_heads(slice_, label, width)]
        if not found:
            rows.append(Content.styled("all settings are the same", "$dim"))
        for name, values in found.items():
            row = Content.styled(f"{name:<{label}}", "$dim")
            for value in values:
                text = clipped(Content(said(name, value)), width - 1)
                row += text + Content(" " * (width - text.cell_length))
            rows.append(row)
        return lines(clipped(line, size.width) for line in rows)


def said(name: str, value: Any) -> str:
    """A setting as people write it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "learning_rate":
        return rate(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _column(runs: tuple[Details, ...], width: int) -> int:
    """Cells of each run's column, where so many are for all."""
    return min(max(width // max(len(runs), 1), _NARROWEST), _WIDEST)


def _heads(runs: tuple[Details, ...], label: int, width: int) -> Content:
    line = Content(" " * label)
    for at, title in enumerate(titles(runs), 1):
        name = f"{at} {title}"[: width - 1].rstrip()
        line += Content.styled(f"{name:<{width}}", "bold")
    return line


def _splits(row: Row) -> tuple[str, ...]:
    """The bins compare VAL with OOD: one number."""
    return ("VAL",) if row.key == "bins" else _SPLITS


def _row(runs: tuple[Details, ...], row: Row, splits: tuple[str, ...], width: int) -> Content:
    """One number of all runs, on one split or on both."""
    gate = row.gate if splits[0] == "VAL" else ""
    label = f"{gate:<2}{splits[0]} {row.label}" if len(splits) == 1 else f"{gate:<2}{row.label}"
    line = Content.styled(f"{label:<{_LABEL}}", "$dim")
    shown = [split for split in splits if split in _splits(row)]
    best = {split: _best(runs, row, split) for split in shown}
    for run in runs:
        cells = [_cell(run, row, split, best[split]) for split in shown]
        cell = Content(" ").join(cells)
        line += cell + Content(" " * (width - cell.cell_length))
    return line


def _cell(run: Details, row: Row, split: str, best: float | None) -> Content:
    value = number(run.result, split, row.key)
    text = signed(value) if row.sign else fixed(value)
    if value is None:
        return Content(f"{text:>6}  ")
    style = "bold" if value == best else ""
    mark = verdict(_passes(run.result, row, split, value))
    return Content.assemble((f"{text:>6}", style), " ", mark)


def _best(runs: tuple[Details, ...], row: Row, split: str) -> float | None:
    """The best of several; None where there is nothing to choose from."""
    values = [number(run.result, split, row.key) for run in runs]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    return max(known) if row.op == ">=" else min(known)


def _passes(result: dict[str, Any], row: Row, split: str, value: float) -> bool:
    """By the thresholds that judged the result."""
    needs = {**Thresholds().to_json(), **(result.get("thresholds") or {})}
    name = row.need if row.need in needs else f"{row.need}_{split.lower()}"
    need = float(needs[name])
    return value >= need if row.op == ">=" else value <= need


def _passed(runs: tuple[Details, ...], width: int) -> Content:
    line = Content.styled(f"{'passed':<{_LABEL}}", "$dim")
    for run in runs:
        summary = run.summary
        text = "–" if summary.gates is None else f"{summary.gates}/5"
        text += " ready" if summary.ready and width > 12 else ""
        line += Content.styled(f"{text:<{width}}", "bold")
    return line


def _all_settings(run: Details, width: int) -> Content:
    if not run.settings:
        return Content.styled(run.trouble or "its settings are not known", "$dim")
    column = 38
    cells = [
        clipped(Content.assemble((f"{name:<19} ", "$dim"), said(name, value)), column - 2)
        for name, value in run.settings.items()
        if value != ""
    ]
    side_by_side = max(width // column, 1)
    tall = -(-len(cells) // side_by_side)
    rows = []
    for at in range(tall):
        row = Content("")
        for cell in cells[at::tall]:
            row += cell + Content(" " * (column - cell.cell_length))
        rows.append(row)
    return lines(rows)
