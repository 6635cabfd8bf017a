"""One chart: the curve of the training batches and the points of the validation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from lvm_tui.state.cursor import Reading, read
from lvm_tui.state.curves import SMOOTHING, Curve
from lvm_tui.state.views import RunView
from lvm_tui.widgets.economy import changed_rows, cost, rest
from lvm_tui.widgets.plotting import (
    AXIS,
    LABEL,
    Axis,
    Line,
    Row,
    draw_rows,
    linear_axis,
    log_axis,
    row_of,
    text_of,
)
from lvm_tui.widgets.viewport import Viewport

TRAIN, VAL, CURSOR = 4, 3, 6
"""Palette numbers of the lines."""

_MARGIN = 0.04
"""Share of the range that is kept free above and below."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a person wants to see the charts; the same for both."""

    level: int = 2
    """Index into SMOOTHING."""
    log: bool = False
    viewport: Viewport = field(default_factory=Viewport)
    cursor: float | None = None
    """The step whose values are told, or none."""


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

    def grew_from(self, before: Plot) -> bool:
        """Whether it differs from `before` by new batches and epochs only."""
        same = replace(
            self,
            curve=before.curve,
            last_step=before.last_step,
            validation=before.validation,
        )
        return same == before and len(self.validation) >= len(before.validation)


def last_step(run: RunView) -> int:
    """The step that the charts of a run end at."""
    return max(run.step, run.loss.last_step, 1)


def plot_of(run: RunView, which: Literal["loss", "cosine"], look: Look) -> Plot:
    values = (
        (row.step, row.val_loss if which == "loss" else row.val_cosine) for row in run.history
    )
    return Plot(
        title=which,
        curve=run.loss if which == "loss" else run.cosine,
        validation=tuple((step, value) for step, value in values if value is not None),
        last_step=last_step(run),
        batches=run.batches,
        look=look if which == "loss" else replace(look, log=False),
    )


class LineChart(Widget):
    """Draws a Plot with plotext. What a person changes is drawn at once; what only grows waits its
    turn, so that neither the line to the terminal nor the training feels it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line-chart--train",
        "line-chart--val",
        "line-chart--axis",
        "line-chart--cursor",
    }
    ALLOW_SELECT = False

    @dataclass
    class Pointed(Message):
        """Somebody clicked a place of the chart."""

        share: float
        """Of the visible part, 0 at the left edge."""

    monotonic: Callable[[], float] = staticmethod(time.monotonic)
    _plot: Plot | None = None
    _waiting: Plot | None = None
    """A newer one whose turn has not come."""
    _calm = False
    _rows: list[Row] | None = None
    """What is on the screen, at `_drawn_for`; None when all must be drawn."""
    _drawn_for = Size(0, 0)
    _turn = 0.0
    _timer: Timer | None = None

    def show(self, plot: Plot, *, calm: bool = False) -> None:
        self._calm = calm
        if plot == (self._waiting or self._plot):
            return
        if self._plot is not None and plot.grew_from(self._plot):
            left = self._turn - self.monotonic()
            if left > 0.0:
                self._waiting = plot
                if self._timer is None:
                    self._timer = self.set_timer(left, self._take_turn)
                return
        self._take(plot)

    def _take_turn(self) -> None:
        self._timer = None
        if self._waiting is not None:
            self._take(self._waiting)

    def _take(self, plot: Plot) -> None:
        self._plot, self._waiting = plot, None
        before, size = self._rows, self.size
        if before is None or size != self._drawn_for:
            self.refresh()
            return
        begun = self.monotonic()
        rows = self._rows = self._draw()
        changed = changed_rows(before, rows)
        if changed:
            self.refresh(*(Region(0, y, size.width, 1) for y in changed))
        now = self.monotonic()
        written = sum(cost(rows[y]) for y in changed if y < len(rows))
        self._turn = now + rest(now - begun, written, calm=self._calm)

    def refresh(self, *regions: Region, **how: Any) -> Self:
        """Without regions everything may have changed: styles, size."""
        if not regions:
            self._rows = None
        return super().refresh(*regions, **how)

    def render(self) -> Text:
        return text_of(self._shown())

    def render_line(self, y: int) -> Strip:
        rows = self._shown()
        row = rows[y] if y < len(rows) else []
        ground = self.visual_style.rich_style
        strip = Strip([Segment(text, ground + style) for text, style in row])
        return strip.adjust_cell_length(self.size.width, ground)

    def _shown(self) -> list[Row]:
        if self._rows is None or self._drawn_for != self.size:
            self._rows = self._draw()
        return self._rows

    def _draw(self) -> list[Row]:
        self._drawn_for = self.size
        width, height = self.size
        plot = self._plot
        if plot is None or width < LABEL + 8 or height < 3:
            return []
        styles = self._styles()
        cursor = plot.look.cursor
        title = _title(plot, styles, width) if cursor is None else told(plot, cursor, styles, width)
        head = row_of(title)
        if not plot.curve.buckets and not plot.validation:
            return [head, [("waiting for the first batch …", styles[AXIS])]]
        start, end = plot.look.viewport.steps(plot.last_step)
        lines = _lines(plot, start, end, width - LABEL)
        y = _y_axis(plot, lines, height - 2)
        if cursor is not None and start <= cursor <= end:
            lines.insert(0, Line(((cursor, y.low), (cursor, y.high)), CURSOR))
        x = _x_axis(plot, start, end, (width - LABEL) // 12)
        return [head, *draw_rows(width, height - 1, lines, x, y, styles)]

    def _styles(self) -> dict[int, Style]:
        def component(name: str) -> Style:
            style = self.get_component_rich_style(name, partial=True)
            return Style(color=style.color, bold=style.bold, dim=style.dim)

        return {
            TRAIN: component("line-chart--train"),
            VAL: component("line-chart--val"),
            AXIS: component("line-chart--axis"),
            CURSOR: component("line-chart--cursor"),
        }

    @property
    def columns(self) -> int:
        """Cells of the part that is drawn in."""
        return max(self.size.width - LABEL, 1)

    def share_at(self, x: int) -> float:
        """The place of a column of the widget in the visible part, 0 to 1."""
        return min(max((x - LABEL + 0.5) / self.columns, 0.0), 1.0)

    def on_click(self, event: Click) -> None:
        self.post_message(self.Pointed(self.share_at(event.x)))


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


def told(plot: Plot, cursor: float, styles: dict[int, Style], width: int) -> Text:
    """What the curves say under the cursor, in as many words as there is room for."""
    found = read(plot.curve, plot.validation, plot.look.level, cursor)
    if found is None:
        return Text(plot.title, Style(bold=True), no_wrap=True, end="")
    train, val = _range(found), _short(found.validation)
    epoch = f"{found.step / plot.batches:.2f}" if plot.batches else "–"
    tested = f" (epoch {found.validated / plot.batches:.0f})" if plot.batches and val else ""
    forms = (
        (f"  epoch {epoch} · step {found.step:,}", "  train ", train, "  val ", val + tested),
        (f"  epoch {epoch} · step {found.step:,}", "  train ", train, "  val ", val),
        (f"  epoch {epoch}", "  train ", _short(found.high), "  val ", val),
        (f" {epoch}", " t ", _short(found.high), " v ", val),
    )
    for place, train_word, train_value, val_word, val_value in forms:
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        text.append(plot.title, Style(bold=True))
        text.append(place, styles[CURSOR])
        text.append(train_word)
        text.append(train_value, styles[TRAIN])
        text.append(val_word if val_value else "")
        text.append(val_value, styles[VAL])
        if text.cell_len <= width:
            break
    text.truncate(width, overflow="ellipsis")
    return text


def _range(found: Reading) -> str:
    low, high = _short(found.low), _short(found.high)
    return high if low == high else f"{low}…{high}"


def _short(value: float | None) -> str:
    """Four digits that count."""
    return "" if value is None else f"{value:.4g}".replace("-", "−")


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
