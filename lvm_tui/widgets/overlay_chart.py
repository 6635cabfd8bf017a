"""Curves of several runs, one over another; each line ends in the number of its run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from lvm_tui.widgets.plotting import AXIS, LABEL, Axis, Line, draw, linear_axis

COLORS = ("$primary", "$warning", "$success", "$secondary", "$error", "$foreground")
"""Of the lines 1 to 6; the same as in the style sheet."""

_MARGIN = 0.06
"""Share of the range that is kept free above and below."""


@dataclass(frozen=True, slots=True)
class Series:
    number: int
    """1 to 6: its sign at the end of the line, and its colour."""
    points: tuple[tuple[float, float], ...]
    """(epoch, value)."""


@dataclass(frozen=True, slots=True)
class Overlay:
    title: str
    series: tuple[Series, ...]


class OverlayChart(Widget):
    """Draws an Overlay with plotext; again only when another one comes, or another size."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "overlay-chart--axis",
        *(f"overlay-chart--{number}" for number in range(1, 7)),
    }

    _overlay: Overlay | None = None

    def show(self, overlay: Overlay) -> None:
        if overlay != self._overlay:
            self._overlay = overlay
            self.refresh()

    def render(self) -> Text:
        width, height = self.size
        overlay = self._overlay
        if overlay is None or width < LABEL + 8 or height < 3:
            return Text("")
        styles = self._styles()
        title = Text(no_wrap=True, end="")
        title.append(overlay.title, Style(bold=True))
        drawn = [series for series in overlay.series if series.points]
        title.append("  by epoch\n" if drawn else "\n", styles[AXIS])
        if not drawn:
            title.append("not measured yet", styles[AXIS])
            return title
        x, y = _axes(drawn, width, height)
        lines = [Line(series.points, series.number) for series in drawn]
        # one column is kept for the numbers at the ends
        plot = draw(width - 1, height - 1, lines, x, y, styles)
        title.append_text(_numbered(plot, drawn, x, y, (width - 1, height - 1), styles))
        return title

    def _styles(self) -> dict[int, Style]:
        def component(name: str) -> Style:
            style = self.get_component_rich_style(f"overlay-chart--{name}", partial=True)
            return Style(color=style.color, bold=style.bold)

        return {AXIS: component("axis"), **{n: component(str(n)) for n in range(1, 7)}}


def _axes(drawn: list[Series], width: int, height: int) -> tuple[Axis, Axis]:
    epochs = [at for series in drawn for at, _ in series.points]
    values = [value for series in drawn for _, value in series.points]
    first, last = min(epochs), max(epochs)
    if first == last:
        first, last = first - 2.0, last + 2.0
    low, high = min(values), max(values)
    pad = (high - low) * _MARGIN
    x = linear_axis(first, last, max(1, (width - LABEL) // 10), whole=last - first >= 2)
    return x, linear_axis(low - pad, high + pad, max(2, (height - 2) // 3))


def _numbered(
    plot: Text,
    drawn: list[Series],
    x: Axis,
    y: Axis,
    size: tuple[int, int],
    styles: dict[int, Style],
) -> Text:
    """The plot with the number of each series right of its last point."""
    columns, rows = size[0] - LABEL, size[1] - 1
    lines = plot.split("\n", allow_blank=True)
    taken: set[tuple[int, int]] = set()
    for series in drawn:
        at, value = series.points[-1]
        column = LABEL + min(round((at - x.low) / x.span * (columns - 1)), columns - 1) + 1
        row = rows - 1 - min(max(round((value - y.low) / y.span * (rows - 1)), 0), rows - 1)
        row = _free(row, column, rows, taken)
        line = lines[row]
        line.pad_right(max(column + 1 - line.cell_len, 0))
        number = Text(str(series.number), styles[series.number] + Style(bold=True))
        lines[row] = Text.assemble(line[:column], number, line[column + 1 :], end="", no_wrap=True)
    return Text("\n", no_wrap=True, end="").join(lines)


def _free(row: int, column: int, rows: int, taken: set[tuple[int, int]]) -> int:
    """The row nearest to `row` in which no number stands yet."""
    for away in range(rows):
        for candidate in (row - away, row + away):
            if 0 <= candidate < rows and (candidate, column) not in taken:
                taken.add((candidate, column))
                return candidate
    return row
