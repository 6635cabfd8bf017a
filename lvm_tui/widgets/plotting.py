"""Lines drawn by plotext 6: figure objects, no module state, braille, 1 ms for a chart.

Everything that a person reads (ticks, ranges) is decided here; plotext draws. Colours are drawn
as palette numbers and replaced by the theme's, so that every theme and NO_COLOR hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from rich.style import Style
from rich.text import Text

AXIS = 8
"""Palette number of ticks and labels."""

LABEL = 7
"""Cells of a label on the y axis."""

DASH = 2
"""Cells on and cells off of a dashed line."""


@dataclass(frozen=True, slots=True)
class Line:
    """A series of points in data units, in drawing order."""

    points: tuple[tuple[float, float], ...]
    color: int
    """Palette number, 1 to 7; see `colors` of `draw`."""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    @property
    def span(self) -> float:
        return self.high - self.low


def linear_axis(low: float, high: float, ticks: int, *, whole: bool = False) -> Axis:
    """An axis from `low` to `high` with about `ticks` round numbers on it."""
    if high <= low:
        pad = abs(low) * 0.05 or 1.0
        low, high = low - pad, high + pad
    step = _round_step((high - low) / max(ticks, 1), whole=whole)
    if ticks > 1 and _multiples(low, high, step)[1] == _multiples(low, high, step)[0]:
        step = _round_step((high - low) / ticks / 2, whole=whole)  # one label tells no scale
    first, last = _multiples(low, high, step)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    marks = tuple((k * step, _label(k * step, digits)) for k in range(first, last + 1))
    return Axis(low, high, marks)


def log_axis(low: float, high: float, ticks: int) -> Axis:
    """An axis of decimal logarithms for values from `low` to `high`, both above 0."""
    if high <= low:
        low, high = low / 1.5, high * 1.5
    bottom, top = math.log10(low), math.log10(high)
    marks: list[tuple[float, str]] = []
    for multiples in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 4, 5, 6, 7, 8, 9)):
        denser = [
            (math.log10(m * 10.0**k), _label(m * 10.0**k, max(0, -k)))
            for k in range(math.floor(bottom), math.ceil(top) + 1)
            for m in multiples
            if bottom - 1e-9 <= math.log10(m * 10.0**k) <= top + 1e-9
        ]
        if marks and len(denser) > ticks + 1:
            break
        marks = denser
    if len(marks) < 2:  # less than a decade: round numbers as on a linear axis
        linear = linear_axis(low, high, ticks)
        marks = [(math.log10(at), text) for at, text in linear.ticks if at > 0.0]
    return Axis(bottom, top, tuple(marks))


def draw(
    width: int,
    height: int,
    lines: Sequence[Line],
    x: Axis,
    y: Axis,
    colors: dict[int, Style],
) -> Text:
    """`lines` in `width` × `height` cells, ticks included.

    colors: the style of each palette number in use, AXIS among them.
    """
    figure = _figure()
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    figure.axes(False)
    axis_pixel = _pixel(AXIS)
    for axis, scale in (("x", x), ("y", y)):
        ruler = figure.ruler(axis, 0)
        ruler.lim(scale.low, scale.high)
        pad = LABEL if axis == "y" else 0
        ruler.ticks([at for at, _ in scale.ticks], [text.rjust(pad) for _, text in scale.ticks])
        ruler.pixel(axis_pixel)
    for line in lines:
        points = line.points
        if line.dashed:
            for piece in _dashes(points, x, width - LABEL):
                _add(figure, piece, line.color)
        elif points:
            _add(figure, points, line.color)
    return _themed(figure.build().string(), colors)


def _add(figure: Any, points: Sequence[tuple[float, float]], color: int) -> None:
    marker = _marker(color)
    signal = figure.signal([at for at, _ in points], [value for _, value in points], marker=marker)
    figure.draw(signal.lines(len(points) > 1))


def _dashes(
    points: Sequence[tuple[float, float]], x: Axis, columns: int
) -> list[list[tuple[float, float]]]:
    """The line through `points` cut into dashes of DASH columns."""
    if len(points) < 2 or columns < 1:
        return [list(points)] if points else []
    cell = x.span / columns
    pieces: list[list[tuple[float, float]]] = []
    for (x0, y0), (x1, y1) in pairwise(points):
        at = max(x0, x.low)
        while at < min(x1, x.high):
            dash = math.floor((at - x.low) / (DASH * cell) + 1e-9)
            end = min(x.low + (dash + 1) * DASH * cell, x1)
            if dash % 2 == 0 and end > at:
                slope = (y1 - y0) / (x1 - x0)
                pieces.append([(at, y0 + slope * (at - x0)), (end, y0 + slope * (end - x0))])
            at = end if end > at else x1
    pieces += [[point] for point in points]  # the measured points themselves are always there
    return pieces


def _themed(ansi: str, colors: dict[int, Style]) -> Text:
    text = Text.from_ansi(ansi)
    themed = Text(text.plain, no_wrap=True, end="")
    for span in text.spans:
        style = span.style if isinstance(span.style, Style) else Style.parse(span.style)
        number = style.color.number if style.color is not None else None
        if number in colors:
            themed.stylize(colors[number], span.start, span.end)
    return themed


def _multiples(low: float, high: float, step: float) -> tuple[int, int]:
    """First and last multiple of `step` that lie within."""
    return math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)


def _round_step(rough: float, *, whole: bool) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    return max(1.0, float(round(step))) if whole else step


def _label(value: float, digits: int) -> str:
    if value and (abs(value) < 1e-4 or abs(value) >= 1e5):
        return f"{value:.0e}".replace("-", "−").replace("e−0", "e−").replace("e+0", "e")
    return f"{value:.{digits}f}".replace("-", "−")


@cache
def _figure() -> Any:
    """A figure of our own: plotext's public one belongs to whoever else uses plotext."""
    import plotext  # 0.13 s: not before the first paint

    plotext.terminal.limit(False, False)  # our widgets are the limit, not its idea of a terminal
    return type(plotext.figure)(plotext.terminal)


@cache
def _pixel(color: int) -> Any:
    import plotext

    return plotext.pixel(foreground=color)


@cache
def _marker(color: int) -> Any:
    import plotext

    return plotext.marker("braille", pixel=_pixel(color))
