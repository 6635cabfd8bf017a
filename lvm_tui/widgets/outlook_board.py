"""What the data allows, and how the trained models stand beside what needs no training."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size

from lvm_tui.numbers import duration, fixed, short, signed
from lvm_tui.state.looked_at import LookedAt, TrainedModel
from lvm_tui.state.outlook import (
    BASELINES,
    GateForecast,
    arrow,
    baseline,
    gate_forecasts,
    gates_passed,
)
from lvm_tui.state.views import Forecast
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import clipped, lines, spread, verdict

_NAME = 19
"""Cells of a baseline's or a model's name."""

_COLUMNS = ("VAL cos", "margin", "OOD cos", "margin")
_CELL, _GATES = 8, 6
"""Cells of a number, and of the gates passed."""

SIGNS = {"copy last": "c", "mean": "m", "ridge": "r"}
"""Letters on the chart; those of models are capitals."""

_WIDE = 70
"""Cells from which on it is said how far a model is from ridge."""

_TONES = {True: "$text-success", False: "$text-error bold", None: "$text-warning"}


class OutlookBoard(Board[LookedAt | None]):
    """A verdict for each gate, the arrow of time, baselines and models in one table."""

    def draw(self, slice_: LookedAt | None, size: Size) -> Content:
        if slice_ is None:
            return Content("")
        width = max(size.width, 40)
        rows = [*_gates(slice_.forecast, width), Content(""), *_table(slice_, width)]
        return lines(clipped(row, width) for row in rows)


def _gates(forecast: Forecast | None, width: int) -> list[Content]:
    title = Content.styled("what the data allows, before any training", "bold")
    found = gate_forecasts(forecast)
    if forecast is None or not found:
        why = forecast.note if forecast is not None else "no forecast has been made of it"
        return [title, *Content.styled(why or "no forecast", "$text-warning").wrap(width)]
    when = "known from an earlier run" if forecast.cached else f"in {duration(forecast.seconds)}"
    rows = [spread(title, Content.styled(when, "$dim"), width)]
    for each in found:
        rows += _gate(each, width)
    if said := arrow(forecast):
        rows += Content.styled(f"  {said}", "$dim").wrap(width)
    return rows


def _gate(found: GateForecast, width: int) -> list[Content]:
    away = f"short by {short(found.short_by, 3)}" if found.short_by else ""
    first = Content.assemble(
        verdict(found.reachable),
        (f" {found.gate:<11}", "bold"),
        (f"{found.verdict:<14}{away}", _TONES[found.reachable]),
    )
    words = found.words.partition(": short by")[0].replace(" -", " −")
    if found.reachable is True or not words:
        return [first]
    if not away:  # there is room beside it
        return [first + Content.styled(words, "$dim")]
    wrapped = Content.styled(words, "$dim").wrap(max(width - 4, 20))
    return [first, *(Content("    ") + line for line in wrapped)]


def _table(shown: LookedAt, width: int) -> list[Content]:
    head = "".join(f"{name:>{_CELL}}" for name in _COLUMNS) + f"{'gates':>{_GATES}}"
    ridge = "  beats ridge?" if width >= _WIDE else " >r"
    rows = [Content.assemble((f"{'baselines, models':<{_NAME}}", "bold"), (head + ridge, "$dim"))]
    for name, label in BASELINES.items():
        cells = [baseline(shown.forecast, name, s, k) for s in ("VAL", "OOD") for k in _KEYS]
        if any(cell is not None for cell in cells):
            passed = gates_passed(shown.forecast, name)
            rows.append(_row(SIGNS[label], label, "$dim", cells, passed))
    for model in shown.models:
        rows.append(_model_row(model, width))
    if not shown.models and not shown.file:
        rows.append(Content.styled("  no model has been tested on this data yet", "$dim"))
    return rows if len(rows) > 1 else []


_KEYS = ("cos", "margin")


def _model_row(model: TrainedModel, width: int) -> Content:
    ood = (model.ood.cos, model.ood.margin) if model.ood is not None else (None, None)
    stamp = model.run.partition("_5cat_")[2].partition("_")[2]
    time = f"{stamp[:2]}:{stamp[2:4]}" if len(stamp) >= 4 else ""
    name = f"{model.model} {time}".strip()
    cells = [model.val.cos, model.val.margin, *ood]
    row = _row(model.sign, name, "$accent bold", cells, model.gates)
    if model.beside is None:
        return row
    style = "$text-success" if model.beside.beats else "$text-error"
    row += Content(" ") + verdict(model.beside.beats)
    away = f" {signed(model.beside.cos - model.beside.ridge)}"
    return row + Content.styled(away, style) if width >= _WIDE else row


def _row(
    sign: str, name: str, style: str, cells: list[float | None], passed: int | None
) -> Content:
    numbers = "".join(
        f"{signed(value) if at % 2 else fixed(value):>{_CELL}}" for at, value in enumerate(cells)
    )
    gates = "–" if passed is None else f"{passed}/5"
    label = f" {name:<{_NAME - 1}}"[: _NAME - 1]
    return Content.assemble((sign, style), label, numbers, f"{gates:>{_GATES}}")
