"""The cursor of the charts: what it says, where it goes, with every zoom, by key and by mouse."""

from __future__ import annotations

import pytest
from textual.events import MouseScrollUp
from textual.pilot import Pilot

from lvm_tui.app import LvmApp
from lvm_tui.screens.dashboard import Dashboard
from lvm_tui.state.cursor import Reading, read
from lvm_tui.state.curves import Curve
from lvm_tui.widgets.loss_chart import LABEL, LineChart
from lvm_tui.widgets.viewport import MOST, Viewport

from . import scenes
from .conftest import Open, shown
from .scripted import loss_at

# ------------------------------------------------------------------ pure


def curve(points: int = 100, capacity: int = 4096) -> Curve:
    steps = list(range(1, points + 1))
    return Curve(capacity=capacity).extended(steps, [float(step) for step in steps])


def test_a_reading_is_what_was_measured_there() -> None:
    assert read(curve(), [(80, 0.5)], 0, 40.3) == Reading(40, 40.0, 40.0, 0.5, 80)


def test_a_bucket_of_many_points_tells_their_range() -> None:
    found = read(curve(1000, capacity=16), [], 0, 500)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 500 <= found.high
    assert found.validation is None


def test_the_nearest_validation_is_told() -> None:
    validation = [(80, 0.5), (160, 0.4)]
    for step, value in ((1, 0.5), (119, 0.5), (121, 0.4), (999, 0.4)):
        found = read(curve(200), validation, 0, step)
        assert found is not None
        assert found.validation == value


def test_nothing_measured_is_told_as_nothing() -> None:
    assert read(Curve(), [], 0, 5) is None


@pytest.mark.parametrize("at", [0.0, 0.2, 0.5, 0.77, 1.0])
def test_zooming_keeps_its_place_in_sight_at_every_depth(at: float) -> None:
    view = Viewport()
    while view.zoom < MOST:
        view = view.zoomed(1, at)
        start, end = view.steps(1.0)
        assert start - 1e-9 <= at <= end + 1e-9
        assert -1e-9 <= start < end <= 1.0 + 1e-9
    while view.zoom > 1:
        view = view.zoomed(-1, at)
    assert view == Viewport()


def test_what_is_out_of_sight_is_brought_just_into_sight() -> None:
    view = Viewport(4, 0.5)  # a quarter of the run, from 0.25 to 0.5
    assert view.showing(0.3) is view
    assert view.showing(0.1).steps(1.0)[0] == pytest.approx(0.1)
    assert view.showing(0.9).steps(1.0)[1] == pytest.approx(0.9)
    assert view.showing(1.0).follows


# ------------------------------------------------------------------ on the screen


def dashboard(app: LvmApp) -> Dashboard:
    assert isinstance(app.screen, Dashboard)
    return app.screen


def cursor(app: LvmApp) -> float:
    found = dashboard(app).look.cursor
    assert found is not None
    return found


def title(app: LvmApp, which: str = "#loss") -> str:
    return shown(app, LineChart, which).splitlines()[0]


async def test_x_shows_step_epoch_and_values_of_both_curves(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        await pilot.press(*["left_square_bracket"] * 4, "x")
        step = round(cursor(app))
        assert f"step {step}" in title(app)
        assert f"epoch {step / 80:.2f}" in title(app)
        assert f"train {loss_at(step / 1600, step):.4g}" in title(app)
        assert "val 0.00" in title(app)
        assert "train 0.5" in title(app, "#cosine")
        await pilot.press("x")
        assert dashboard(app).look.cursor is None
        assert title(app).startswith("loss  train")


async def test_arrows_move_the_cursor_by_a_column_and_shift_by_ten(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        await pilot.press("x")
        before = cursor(app)
        column = 1260 / app.screen.query_one("#loss", LineChart).columns
        await pilot.press("right")
        assert cursor(app) - before == pytest.approx(column)
        await pilot.press("shift+left")
        assert cursor(app) - before == pytest.approx(-9 * column)
        await pilot.press("escape", "left")
        assert dashboard(app).look.cursor is None


async def test_the_cursor_stays_within_the_run_and_takes_the_view_along(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        await pilot.press("x", "plus", "plus", "plus")
        for key, end in (("shift+left", 1.0), ("shift+right", 1260.0)):
            await pilot.press(*[key] * 60)
            assert cursor(app) == end
            start, stop = dashboard(app).look.viewport.steps(1260)
            assert start - 1e-6 <= cursor(app) <= stop + 1e-6


async def test_zooming_happens_around_the_cursor(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        await pilot.press("x", *["shift+left"] * 2)
        place = cursor(app)
        for _ in range(6):
            await pilot.press("plus")
            assert cursor(app) == place
            start, stop = dashboard(app).look.viewport.steps(1260)
            assert start <= place <= stop
            assert f"step {round(place)}" in title(app)
        await pilot.press("l", "0")
        assert cursor(app) == place


async def test_a_click_sets_the_cursor_there(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        chart = app.screen.query_one("#loss", LineChart)
        x = LABEL + chart.columns // 4
        await pilot.click("#loss", offset=(x, 4))
        assert cursor(app) == pytest.approx(1260 / 4, rel=0.05)
        await pilot.press("plus")
        await pilot.click("#cosine", offset=(chart.size.width - 1, 4))
        start, stop = dashboard(app).look.viewport.steps(1260)
        assert start < cursor(app) <= stop
        assert stop - cursor(app) < 2 * (stop - start) / chart.columns


async def test_the_wheel_zooms_around_the_pointer(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        chart = app.screen.query_one("#loss", LineChart)
        x = LABEL + chart.columns // 4
        await wheel(pilot, x)
        await wheel(pilot, x)
        start, stop = dashboard(app).look.viewport.steps(1260)
        assert start < 1260 / 4 < stop < 1260


async def wheel(pilot: Pilot[object], x: int) -> None:
    chart = pilot.app.screen.query_one("#loss", LineChart)
    await pilot._post_mouse_events([MouseScrollUp], chart, offset=(x, 4))
