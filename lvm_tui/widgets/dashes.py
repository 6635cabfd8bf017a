"""A dashed line as dots, at most a few a column however many points it has; pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lvm_tui.widgets.plotting import Axis

Points = Sequence[tuple[float, float]]

DASH = 2
"""Cells on and cells off of a dashed line."""

ACROSS, DOWN = 2, 4
"""Dots of a braille cell."""


def dashes(points: Points, x: Axis, y: Axis, columns: int, rows: int) -> list[tuple[float, float]]:
    """Dots along the line through `points` (of growing x, within the axis) in `columns` × `rows`
    cells. Where there are few points each has its dot; where there are many, the lowest and the
    highest of half a column."""
    if len(points) < 2 or columns < 1:
        return list(points)
    return _along(points, x, y, columns, rows) + _measured(points, x, columns)


def _along(points: Points, x: Axis, y: Axis, columns: int, rows: int) -> list[tuple[float, float]]:
    dots: list[tuple[float, float]] = []
    xs = [at for at, _ in points]
    half = x.span / (columns * ACROSS)
    dot = y.span / (rows * DOWN)
    before: float | None = None
    for k in range(columns * ACROSS):
        at = x.low + (k + 0.5) * half
        if k // (ACROSS * DASH) % 2 or not xs[0] <= at <= xs[-1]:
            before = None
            continue
        right = min(bisect_right(xs, at), len(xs) - 1)
        (x0, y0), (x1, y1) = points[right - 1], points[right]
        value = y0 + (y1 - y0) * (at - x0) / (x1 - x0) if x1 > x0 else y1
        if before is not None:  # a steep dash has no gaps
            between = min(int(abs(value - before) / dot), rows * DOWN)
            dots += [(at, before + (value - before) * i / between) for i in range(1, between)]
        dots.append((at, value))
        before = value
    return dots


def _measured(points: Points, x: Axis, columns: int) -> list[tuple[float, float]]:
    """The points themselves: the lowest and the highest in each half of a column."""
    slots: dict[int, tuple[tuple[float, float], tuple[float, float]]] = {}
    for point in points:
        slot = int((point[0] - x.low) / x.span * columns * ACROSS)
        low, high = slots.get(slot, (point, point))
        slots[slot] = (
            point if point[1] < low[1] else low,
            point if point[1] > high[1] else high,
        )
    return [point for pair in slots.values() for point in dict.fromkeys(pair)]
