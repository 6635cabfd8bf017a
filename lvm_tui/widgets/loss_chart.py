"""One chart: the curve of the training batches and the points of the validation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar, Literal

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from lvm_tui.state.curves import SMOOTHING, Curve
from lvm_tui.state.views import RunView
from lvm_tui.widgets.plotting import AXIS, LABEL, Axis, Line, draw, linear_axis, log_axis
from lvm_tui.widgets.viewport import Viewport

TRAIN, VAL = 4, 3
"""Palette numbers of the two lines."""

_MARGIN = 0.04
"""Share of the range that is kept free above and below."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a person wants to see the charts; the same for both."""

    level: int = 2
    """Index into SMOOTHING."""
    log: bool = False
    viewport: Viewport = field(default_factory=Viewport)


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that a chart shows. Curves compare by identity, so this is cheap to compare."""

    title: str
    curve: Curve
    validation: tuple[tuple[int, float], ...]
    last_step: int
    batches: int
    """Batches of an epoch; the x axis counts epochs."""
    look: Look


def plot_of(run: RunView, which: Literal["loss", "cosine"], look: Look) -> Plot:
    values = (
        (row.step, row.val_loss if which == "loss" else row.val_cosine) for row in run.history
    )
    return Plot(
        title=which,
        curve=run.loss if which == "loss" else run.cosine,
        validation=tuple((step, value) for step, value in values if value is not None),
        last_step=max(run.step, run.loss.last_step, 1),
        batches=run.batches,
        look=look if which == "loss" else Look(look.level, False, look.viewport),
    )


class LineChart(Widget):
    """Draws a Plot with plotext; again only when another one comes, or another size."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line-chart--train",
        "line-chart--val",
        "line-chart--axis",
    }

    _plot: Plot | None = None

    def show(self, plot: Plot) -> None:
        if plot != self._plot:
            self._plot = plot
            self.refresh()

    def render(self) -> Text:
        width, height = self.size
        plot = self._plot
        if plot is None or width < LABEL + 8 or height < 3:
            return Text("")
        styles = self._styles()
        title = _title(plot, styles, width)
        title.append("\n")
        if not plot.curve.buckets and not plot.validation:
            title.append("waiting for the first batch …", styles[AXIS])
            return title
        start, end = plot.look.viewport.steps(plot.last_step)
        lines = _lines(plot, start, end, width - LABEL)
        y = _y_axis(plot, lines, height - 2)
        x = _x_axis(plot, start, end, (width - LABEL) // 12)
        title.append_text(draw(width, height - 1, lines, x, y, styles))
        return title

    def _styles(self) -> dict[int, Style]:
        def component(name: str) -> Style:
            style = self.get_component_rich_style(name, partial=True)
            return Style(color=style.color, bold=style.bold, dim=style.dim)

        return {
            TRAIN: component("line-chart--train"),
            VAL: component("line-chart--val"),
            AXIS: component("line-chart--axis"),
        }


def _title(plot: Plot, styles: dict[int, Style], width: int) -> Text:
    look = plot.look
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    text.append(plot.title, Style(bold=True))
    text.append(" (log)" if look.log else "")
    text.append("  train ")
    text.append("──", styles[TRAIN])
    text.append("  val ")
    text.append("╌╌", styles[VAL])
    notes = []
    if decay := SMOOTHING[look.level]:
        notes.append(f"smooth {decay:g}")
    if look.viewport.zoom > 1:
        notes.append(f"{look.viewport.zoom}×" + ("" if look.viewport.follows else " ◀"))
    if notes and text.cell_len + len("  " + " ".join(notes)) <= width:
        text.append("  " + " ".join(notes), styles[AXIS])
    text.truncate(width)
    return text


def _lines(plot: Plot, start: float, end: float, columns: int) -> list[Line]:
    scaled = _logarithm if plot.look.log else float
    points: list[tuple[float, float]] = []
    for step, low, high in plot.curve.spans(plot.look.level, start, end, columns):
        if plot.look.log and low <= 0.0:
            continue
        pair = [(step, scaled(low))]
        if high > low:
            pair.append((step, scaled(high)))
        if points and abs(points[-1][1] - pair[-1][1]) < abs(points[-1][1] - pair[0][1]):
            pair.reverse()  # the line goes on at the nearer end
        points += pair
    validation = [
        (float(step), scaled(value))
        for step, value in plot.validation
        if not (plot.look.log and value <= 0.0)
    ]
    shown = _within(validation, start, end)
    return [Line(tuple(points), TRAIN), Line(tuple(shown), VAL, dashed=True)]


def _logarithm(value: float) -> float:
    return math.log10(value)


def _within(
    points: list[tuple[float, float]], start: float, end: float
) -> list[tuple[float, float]]:
    """Points between `start` and `end`, the line cut off at the edges."""
    shown = [point for point in points if start <= point[0] <= end]
    for (x0, y0), (x1, y1) in pairwise(points):
        for edge in (start, end):
            if x0 < edge < x1:
                shown.append((edge, y0 + (y1 - y0) * (edge - x0) / (x1 - x0)))
    return sorted(shown)


def _y_axis(plot: Plot, lines: list[Line], rows: int) -> Axis:
    values = [value for line in lines for _, value in line.points]
    if not values:
        return linear_axis(0.0, 1.0, 3)
    low, high = min(values), max(values)
    pad = (high - low) * _MARGIN
    ticks = max(2, rows // 3)
    if plot.look.log:
        return log_axis(10.0 ** (low - pad), 10.0 ** (high + pad), ticks)
    return linear_axis(low - pad, high + pad, ticks)


def _x_axis(plot: Plot, start: float, end: float, ticks: int) -> Axis:
    """In epochs, while the lines are in steps."""
    if not plot.batches:
        return linear_axis(start, end, max(ticks, 1))
    first, last = start / plot.batches, end / plot.batches
    whole = last - first > 2.0
    axis = linear_axis(first, last, max(ticks, 1), whole=whole)
    marks = tuple((at * plot.batches, text) for at, text in axis.ticks)
    return Axis(start, end, marks)
