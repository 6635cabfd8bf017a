"""Keys of the charts, pressed in the real app: scale, smoothing, zoom, summary, export."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import MouseScrollDown, MouseScrollUp

from lvm_tui.app import LvmApp
from lvm_tui.screens.dialogs import Ask
from lvm_tui.widgets.hints import HintLine
from lvm_tui.widgets.key_bar import KeyBar
from lvm_tui.widgets.loss_chart import LineChart

from . import scenes
from .conftest import Open, body, shown
from .scripted import Plan

RUN = Plan().run


def title(app: LvmApp, which: str = "#loss") -> str:
    return shown(app, LineChart, which).splitlines()[0]


async def test_l_switches_the_loss_chart_to_a_log_scale_and_back(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        assert "(log)" not in title(app)
        await pilot.press("l")
        assert title(app).startswith("loss (log)")
        assert "(log)" not in title(app, "#cosine")
        await pilot.press("l")
        assert "(log)" not in title(app)


async def test_brackets_change_the_smoothing_within_its_bounds(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        assert "smooth 0.9" in title(app)
        await pilot.press("left_square_bracket")
        assert "smooth 0.6" in title(app)
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert "smooth" not in title(app)
        await pilot.press(*["right_square_bracket"] * 9)
        assert "smooth 0.99" in title(app)


async def test_plus_and_minus_zoom_arrows_pan_and_0_shows_the_whole_run(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        await pilot.press("plus", "plus")
        assert "4×" in title(app)
        assert "◀" not in title(app)
        await pilot.press("left")
        assert "4× ◀" in title(app)
        await pilot.press("right")
        assert "◀" not in title(app)
        await pilot.press("minus")
        assert "2×" in title(app)
        await pilot.press("right_square_bracket")
        smooth = title(app).partition("smooth")[2].split()[:1]
        await pilot.press("0")
        assert "×" not in title(app)
        assert title(app).partition("smooth")[2].split()[:1] == smooth


@pytest.mark.parametrize(
    ("size", "shown"), [((120, 40), True), ((120, 24), True), ((80, 24), False)]
)
async def test_the_keys_of_the_charts_stand_below_them_where_there_is_room(
    opened: Open, size: tuple[int, int], shown: bool
) -> None:
    async with opened(scenes.going_well(), size=size) as (app, _):
        line = app.screen.query_one("#chart_keys", HintLine)
        assert (line.size.height == 1) is shown
        keys = "l log scale  [ ] smooth  + - zoom  ← → pan  0 whole run"
        assert (keys in str(line.render())) is shown
        assert "log scale" not in str(app.screen.query_one(KeyBar).render())


async def test_the_mouse_wheel_zooms(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        chart = app.screen.query_one("#loss", LineChart)
        await pilot._post_mouse_events([MouseScrollUp], chart)
        assert "2×" in title(app)
        await pilot._post_mouse_events([MouseScrollDown], chart)
        assert "×" not in title(app)


async def test_c_changes_between_the_summary_and_the_charts(opened: Open) -> None:
    async with opened(scenes.queue_finished()) as (app, pilot):
        await pilot.press("c")
        assert body(app) == "training"
        await pilot.press("c")
        assert body(app) == "summary"


async def test_e_exports_and_says_where(opened: Open, tmp_path: Path) -> None:
    desk = scenes.going_well()
    desk.home = tmp_path
    (tmp_path / RUN).mkdir()
    async with opened(desk) as (app, pilot):
        await pilot.press("e")
        await app.workers.wait_for_complete()
        await pilot.pause()
        folder = tmp_path / RUN / "exports"
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["batches.csv", "dashboard.svg", "epochs.csv", "run.json"]
        assert "<svg" in (folder / "dashboard.svg").read_text()
        (toast,) = app._notifications
        assert str(folder) in toast.title


async def test_an_export_that_fails_says_what_and_where(opened: Open, tmp_path: Path) -> None:
    desk = scenes.going_well()
    desk.home = tmp_path / "missing"
    async with opened(desk) as (app, pilot):
        await pilot.press("e")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(app.screen, Ask)
        assert "missing" in str(app.screen.query_one("#text").render())
