"""Axes, lines and the part of a run that is looked at, without a screen."""

from __future__ import annotations

import math

import pytest
from rich.style import Style

from lvm_tui.widgets.plotting import AXIS, LABEL, Axis, Line, draw, linear_axis, log_axis
from lvm_tui.widgets.viewport import MOST, Viewport

STYLES = {1: Style(color="cyan"), 2: Style(color="yellow"), AXIS: Style(dim=True)}


def labels(axis: Axis) -> list[str]:
    return [text for _, text in axis.ticks]


def test_a_linear_axis_has_round_numbers() -> None:
    assert labels(linear_axis(0.0011, 0.0029, 5)) == ["0.0015", "0.0020", "0.0025"]
    assert labels(linear_axis(-0.08, 0.21, 4)) == ["0.0", "0.1", "0.2"]


def test_an_axis_of_epochs_has_whole_numbers() -> None:
    assert labels(linear_axis(0.0, 4.3, 9, whole=True)) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(("low", "high"), [(0.26, 0.31), (0.0, 0.011), (99.1, 99.2), (-5.0, 17.0)])
def test_a_linear_axis_shows_its_scale_by_two_labels_at_least(low: float, high: float) -> None:
    axis = linear_axis(low, high, 3)
    assert len(axis.ticks) >= 2
    assert all(low <= at <= high for at, _ in axis.ticks)


def test_a_flat_line_gets_an_axis_around_it() -> None:
    axis = linear_axis(3.0, 3.0, 4)
    assert axis.low < 3.0 < axis.high


def test_a_log_axis_counts_in_decades() -> None:
    axis = log_axis(0.0008, 2.0, 4)
    assert [round(10**at, 6) for at, _ in axis.ticks] == [0.001, 0.01, 0.1, 1.0]
    assert labels(axis) == ["0.001", "0.01", "0.1", "1"]


def test_a_log_axis_of_less_than_a_decade_still_shows_its_scale() -> None:
    axis = log_axis(0.00112, 0.00131, 4)
    assert len(axis.ticks) >= 2
    assert math.log10(0.00112) <= axis.ticks[0][0]


def test_a_chart_fills_its_cells_and_no_more() -> None:
    line = Line(tuple((float(i), math.sin(i / 5)) for i in range(100)), 1)
    text = draw(60, 12, [line], linear_axis(0, 99, 4), linear_axis(-1, 1, 4), STYLES)
    rows = text.plain.splitlines()
    assert len(rows) == 12
    assert {len(row) for row in rows} == {60}
    assert all(len(label) < LABEL for label in labels(linear_axis(-1, 1, 4)))


def test_lines_have_the_colours_of_the_theme() -> None:
    line = Line(((0.0, 0.0), (1.0, 1.0)), 1)
    text = draw(30, 6, [line], linear_axis(0, 1, 2), linear_axis(0, 1, 2), STYLES)
    used = {span.style for span in text.spans}
    assert STYLES[1] in used
    assert STYLES[AXIS] in used
    assert STYLES[2] not in used


def test_labels_keep_a_gap_to_the_plot_where_there_is_room() -> None:
    x = linear_axis(0, 1, 2)
    for y, labels in (
        (linear_axis(0.0311, 0.0317, 3), (" 0.0312 ", " 0.0314 ")),
        (linear_axis(-0.01002, -0.01, 2), ("−0.0100",)),  # they take all of the room
    ):
        line = Line(((0.0, y.low), (1.0, y.low)), 1)
        rows = draw(30, 8, [line], x, y, STYLES).plain.splitlines()
        assert all(len(row) == len(rows[0]) for row in rows)
        for label in labels:
            assert any(f" {row}".startswith(label) or row.startswith(label) for row in rows), rows


def test_a_dashed_line_has_gaps_and_its_points() -> None:
    axis = linear_axis(0, 10, 2)
    points = ((0.0, 0.5), (10.0, 0.5))

    def ink(dashed: bool) -> int:
        text = draw(60, 5, [Line(points, 1, dashed)], axis, linear_axis(0, 1, 2), STYLES)
        return sum(0x2800 < ord(character) < 0x2900 for character in text.plain)

    assert 0.3 * ink(dashed=False) < ink(dashed=True) < 0.8 * ink(dashed=False)


@pytest.mark.parametrize("points", [(), ((1.0, 1.0),)], ids=["none", "one"])
def test_hardly_any_points_draw_without_error(points: tuple[tuple[float, float], ...]) -> None:
    for dashed in (False, True):
        text = draw(
            30, 5, [Line(points, 1, dashed)], linear_axis(0, 2, 2), linear_axis(0, 2, 2), STYLES
        )
        assert len(text.plain.splitlines()) == 5


def test_a_whole_run_is_seen_first_and_followed() -> None:
    assert Viewport().steps(1000) == (0.0, 1000.0)
    assert Viewport().follows


def test_zooming_in_keeps_the_newest_in_sight() -> None:
    assert Viewport().zoomed_in().zoomed_in().steps(1000) == (750.0, 1000.0)


def test_panning_left_stops_at_the_first_step_and_right_follows_again() -> None:
    view = Viewport(zoom=4)
    for _ in range(20):
        view = view.left()
    assert view.steps(1000) == (0.0, 250.0)
    assert not view.follows
    for _ in range(20):
        view = view.right()
    assert view.steps(1000) == (750.0, 1000.0)
    assert view.follows


def test_zooming_elsewhere_keeps_the_middle() -> None:
    view = Viewport(zoom=4).left().left()
    start, end = view.steps(1000)
    for changed in (view.zoomed_in(), view.zoomed_in().zoomed_out()):
        low, high = changed.steps(1000)
        assert (low + high) / 2 == pytest.approx((start + end) / 2)


def test_zoom_has_its_bounds() -> None:
    view = Viewport()
    assert view.zoomed_out() == view
    for _ in range(20):
        view = view.zoomed_in()
    assert view.zoom == MOST
