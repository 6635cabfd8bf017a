"""Every screen is ready before its key is pressed, and does nothing until then."""

from __future__ import annotations

import gc
from pathlib import Path

from lvm_tui import warming
from lvm_tui.app import LvmApp
from lvm_tui.modes import MODES
from lvm_tui.screens.runs import Runs
from lvm_tui.widgets.row_table import RowTable

from .disk import Disk
from .screens import app_on, screen, settled, text_of
from .scripted import training


def hurry(app: LvmApp) -> None:
    """All steps at once."""
    for step in warming.steps_of(app):
        step()


async def test_screens_are_made_one_after_the_other_in_idle_moments(tmp_path: Path) -> None:
    app = app_on(Disk(tmp_path))
    async with app.run_test() as pilot:
        assert set(app._screen_stacks) & {mode.name for mode in MODES} == {"dashboard"}
        app.warm_up(0.001, 0.001)
        while not app.ready:
            await pilot.pause()
        assert {mode.name for mode in MODES} <= set(app._screen_stacks)
        assert app.current_mode == "dashboard"


async def test_a_screen_that_was_made_ready_shows_what_it_shows_without(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    for mode in MODES[1:]:
        async with screen(disk, mode.key) as pilot:
            cold = text_of(pilot)
        async with screen(disk) as pilot:
            hurry(pilot.app)  # type: ignore[arg-type]
            await settled(pilot)
            await pilot.press(mode.key)
            await settled(pilot)
            assert text_of(pilot) == cold


async def test_a_screen_that_nobody_has_seen_looks_at_nothing(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.write_run("gru_5cat_20251030_220000", training())
    async with screen(disk) as pilot:
        app = pilot.app
        assert isinstance(app, LvmApp)
        hurry(app)
        await settled(pilot)
        runs = app._screen_stacks["runs"][0]
        assert isinstance(runs, Runs)
        assert not runs.query_one("#runs", RowTable).row_count
        await pilot.press("6")
        await settled(pilot)
        assert runs.query_one("#runs", RowTable).row_count == 1


async def test_a_screen_that_was_made_ready_takes_a_theme_that_was_chosen_since(
    tmp_path: Path,
) -> None:
    async with screen(Disk(tmp_path)) as pilot:
        app = pilot.app
        assert isinstance(app, LvmApp)
        hurry(app)
        await settled(pilot)
        app.theme = "lvm-light"
        await settled(pilot)
        light = app.screen.styles.background
        await pilot.press("2")
        await settled(pilot)
        assert app.screen.styles.background == light


async def test_once_screens_are_ready_no_garbage_collection_looks_through_them(
    tmp_path: Path,
) -> None:
    app = app_on(Disk(tmp_path))
    gc.unfreeze()
    try:
        async with app.run_test() as pilot:
            app.warm_up(0.001, 0.001)
            while not app.ready:
                await pilot.pause()
            assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
