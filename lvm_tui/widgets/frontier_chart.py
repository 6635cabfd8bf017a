"""Cosine against margin: what linear predictors trade, what the gate needs, where models lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from lvm.settings import Thresholds
from lvm_tui.numbers import short
from lvm_tui.state.looked_at import LookedAt
from lvm_tui.state.outlook import Point, baseline_points, frontier
from lvm_tui.widgets.outlook_board import SIGNS
from lvm_tui.widgets.plotting import AXIS, LABEL, Axis, Line, draw, linear_axis

FRONTIER, GATE, BASELINE, MODEL = 1, 2, 3, 4
"""Palette numbers; see `COMPONENT_CLASSES`."""

_NAMES = {AXIS: "axis", FRONTIER: "frontier", GATE: "gate", BASELINE: "baseline", MODEL: "model"}

_PAD = 0.08
"""Share of the range that is kept free around it."""

_LEAST = 0.04
"""Of either range: below it the ticks would tell of rounding."""


@dataclass(frozen=True, slots=True)
class _Mark:
    point: Point
    sign: str
    color: int


class FrontierChart(Widget):
    """Draws a LookedAt; again only when another one comes, or another size."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"frontier-chart--{name}" for name in _NAMES.values()}

    _shown: LookedAt | None = None

    def show(self, shown: LookedAt | None) -> None:
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Text:
        width, height = self.size
        if self._shown is None or width < LABEL + 12 or height < 6:
            return Text("")
        return chart(self._shown, width, height, self._styles())

    def _styles(self) -> dict[int, Style]:
        styles = {}
        for number, name in _NAMES.items():
            style = self.get_component_rich_style(f"frontier-chart--{name}", partial=True)
            styles[number] = Style(color=style.color, bold=style.bold)
        return styles


def chart(shown: LookedAt, width: int, height: int, styles: dict[int, Style]) -> Text:
    """Title, plot and legend in `width` × `height` cells."""
    line = frontier(shown.forecast)
    marks = [
        _Mark(point, SIGNS[name], BASELINE)
        for name, point in baseline_points(shown.forecast).items()
    ]
    marks += [_Mark(model.val, model.sign, MODEL) for model in reversed(shown.models)]
    need = _need(shown)
    title = Text("margin by cosine, VAL", Style(bold=True), no_wrap=True, end="")
    if not line and not marks:
        return title + Text("\nnot measured yet", styles[AXIS])
    needs = f"   ┄ needs cos ≥ {short(need.cos)}, margin ≥ {short(need.margin, sign=True)}"
    title.append(needs, styles[GATE])
    title.truncate(width)
    title.append("\n")
    x, y = _axes(
        [*line, *(mark.point for mark in marks if mark.color == MODEL)], need, width, height
    )
    lines = [Line(tuple(sorted((p.cos, p.margin) for p in line)), FRONTIER)] if line else []
    lines += [Line(((x.low, need.margin), (x.high, need.margin)), GATE, dashed=True)]
    lines += _upright(need.cos, y, height - 3)
    plot = draw(width, height - 2, lines, x, y, styles)
    plot = _marked(plot, marks, x, y, (width, height - 2), styles)
    title.append_text(plot)
    title.append("\n")
    title.append_text(_legend(styles, width))
    return title


def _need(shown: LookedAt) -> Point:
    """Of the offset gate on VAL, by the thresholds that judged the forecast."""
    needs = shown.forecast.document.get("thresholds") if shown.forecast is not None else None
    known = {**Thresholds().to_json(), **(needs if isinstance(needs, dict) else {})}
    return Point(float(known["cos_val"]), float(known["margin_val"]))


def _axes(points: list[Point], need: Point, width: int, height: int) -> tuple[Axis, Axis]:
    """Of what is traded, trained and needed; baselines far away stand at the edge."""
    ranges = []
    for values in ([p.cos for p in (*points, need)], [p.margin for p in (*points, need)]):
        low, high = min(values), max(values)
        pad = max((high - low) * _PAD, _LEAST / 2)
        ranges.append((low - pad, high + pad))
    x = linear_axis(*ranges[0], max(2, (width - LABEL) // 12))
    return x, linear_axis(*ranges[1], max(2, (height - 3) // 3))


def _upright(cos: float, y: Axis, rows: int) -> list[Line]:
    """A dashed line from bottom to top: every other row."""
    row = y.span / max(rows, 1)
    starts = (y.low + row * at for at in range(0, rows, 2))
    return [Line(((cos, start), (cos, start + 0.75 * row)), GATE) for start in starts]


def _marked(
    plot: Text,
    marks: list[_Mark],
    x: Axis,
    y: Axis,
    size: tuple[int, int],
    styles: dict[int, Style],
) -> Text:
    """The plot with a letter at each mark; an arrow after those that lie beyond the edge."""
    columns, rows = size[0] - LABEL, size[1] - 1
    lines = plot.split("\n", allow_blank=True)[: size[1]]
    for mark in marks:
        across = round((mark.point.cos - x.low) / x.span * (columns - 1))
        up = round((mark.point.margin - y.low) / y.span * (rows - 1))
        sign = mark.sign
        if up < 0:
            sign += "↓"
        elif up > rows - 1:
            sign += "↑"
        elif across < 0:
            sign += "←"
        elif across > columns - 1:
            sign += "→"
        column = LABEL + min(max(across, 0), columns - len(sign))
        row = rows - 1 - min(max(up, 0), rows - 1)
        line = lines[row]
        line.pad_right(max(column + len(sign) - line.cell_len, 0))
        letters = Text(sign, styles[mark.color] + Style(bold=True))
        lines[row] = Text.assemble(
            line[:column], letters, line[column + len(sign) :], end="", no_wrap=True
        )
    return Text("\n", no_wrap=True, end="").join(lines)


def _legend(styles: dict[int, Style], width: int) -> Text:
    legend = Text(no_wrap=True, end="")
    for words, color in (
        ("─ linear frontier  ", FRONTIER),
        ("c m r baselines  ", BASELINE),
        ("T G L A models", MODEL),
    ):
        legend.append(words, styles[color])
    legend.truncate(width, overflow="ellipsis")
    return legend
