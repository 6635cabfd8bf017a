"""Lines drawn by plotext 6: figure objects, no module state, braille, 1 ms for a chart.

Everything that a person reads (ticks, ranges) is decided here; plotext draws. Colours are drawn
as palette numbers and replaced by the theme's, so that every theme and NO_COLOR hold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from rich.style import Style
from rich.text import Text

from lvm_tui.widgets.dashes import dashes

AXIS = 8
"""Palette number of ticks and labels."""

LABEL = 7
"""Cells of a label on the y axis."""


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


Row = list[tuple[str, Style]]
"""One line of a drawing: pieces of text with their styles."""


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
    return text_of(draw_rows(width, height, lines, x, y, colors))


def _beside(labels: list[str]) -> list[str]:
    """Labels left of a plot: in LABEL cells, with a gap unless the longest takes them all."""
    gap = " " if max(map(len, labels), default=0) < LABEL else ""
    return [f"{label}{gap}".rjust(LABEL) for label in labels]


def text_of(rows: Sequence[Row]) -> Text:
    text = Text(no_wrap=True, end="")
    for number, row in enumerate(rows):
        text.append("\n" if number else "")
        for piece, style in row:
            text.append(piece, style if style else None)
    return text


def draw_rows(
    width: int,
    height: int,
    lines: Sequence[Line],
    x: Axis,
    y: Axis,
    colors: dict[int, Style],
) -> list[Row]:
    """The same as `height` rows of pieces, which costs less than a Text."""
    figure = _figure()
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    figure.axes(False)
    axis_pixel = _pixel(AXIS)
    for axis, scale in (("x", x), ("y", y)):
        ruler = figure.ruler(axis, 0)
        ruler.lim(scale.low, scale.high)
        texts = [text for _, text in scale.ticks]
        ruler.ticks([at for at, _ in scale.ticks], _beside(texts) if axis == "y" else texts)
        ruler.pixel(axis_pixel)
    for line in lines:
        if line.dashed:
            _add(figure, dashes(line.points, x, y, width - LABEL, height), line.color, dots=True)
        else:
            _add(figure, line.points, line.color)
    return [_pieces(row, colors) for row in figure.build().string().split("\n")]


def row_of(text: Text) -> Row:
    """A line of text as pieces."""
    edges = sorted({0, len(text), *(at for span in text.spans for at in (span.start, span.end))})
    row: Row = []
    for start, end in pairwise(edges):
        styles = [span.style for span in text.spans if span.start <= start < span.end]
        drawn = [s if isinstance(s, Style) else Style.parse(s) for s in styles]
        row.append((text.plain[start:end], Style.combine([Style.null(), *drawn])))
    return row


def _add(
    figure: Any, points: Sequence[tuple[float, float]], color: int, *, dots: bool = False
) -> None:
    if points:
        at, values = zip(*points, strict=True)
        signal = figure.signal(list(at), list(values), marker=_marker(color))
        figure.draw(signal.lines(len(points) > 1 and not dots))


def _pieces(ansi: str, colors: dict[int, Style]) -> Row:
    """A row of plotext's, its palette numbers replaced by styles."""
    row: Row = []
    style = _PLAIN
    for code, text in _PIECE.findall(ansi):
        if code.startswith(_COLOR):
            style = colors.get(int(code[len(_COLOR) :]), _PLAIN)
        elif code == "0":
            style = _PLAIN
        if text:
            row.append((text, style))
    return row


_PLAIN = Style.null()
_COLOR = "38;5;"
_PIECE = re.compile(r"(?:\x1b\[([\d;]*)m|^)([^\x1b]*)")
"""What begins a style, and the text in it."""


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
