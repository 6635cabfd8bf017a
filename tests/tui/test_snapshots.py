"""Pictures of every body of the dashboard; `--snapshot-update` after looking at the new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from lvm.config import DashboardSettings
from lvm_tui.app import LvmApp
from lvm_tui.machine import GB, Gauges, Gpu
from lvm_tui.messages import Gauged
from lvm_tui.state.views import RunnerView

from . import scenes
from .conftest import MakeApp
from .sources import MemoryWorkspace

Compare = Callable[..., bool]

SMALL, MEDIUM = (80, 24), (120, 40)


async def settle(pilot: Pilot[Any]) -> None:
    """All that there is has been read and drawn."""
    app = pilot.app
    assert isinstance(app, LvmApp)
    await pilot.pause()
    while True:
        app.tick()
        await pilot.pause()
        if not app.frame.catching_up:
            break
    await app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    "scene",
    [
        scenes.training_with_alert,
        scenes.going_well,
        scenes.testing,
        scenes.preparing,
        scenes.data_is_checked,
        scenes.queue_finished,
        scenes.empty,
    ],
    ids=lambda scene: scene.__name__,
)
def test_the_dashboard(
    snap_compare: Compare,
    make_app: MakeApp,
    scene: Callable[[], MemoryWorkspace],
    size: tuple[int, int],
) -> None:
    assert snap_compare(make_app(scene()), terminal_size=size, run_before=settle)


def test_the_dashboard_on_a_wall(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(scenes.going_well())
    assert snap_compare(app, terminal_size=(300, 100), run_before=settle)


def test_data_that_fails(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(scenes.data_is_checked(good=False))
    assert snap_compare(app, terminal_size=SMALL, run_before=settle)


def test_paused(snap_compare: Compare, make_app: MakeApp) -> None:
    assert snap_compare(make_app(scenes.paused()), terminal_size=SMALL, run_before=settle)


def test_help(snap_compare: Compare, make_app: MakeApp) -> None:
    async def press(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await pilot.press("question_mark")

    assert snap_compare(make_app(scenes.going_well()), terminal_size=MEDIUM, run_before=press)


@pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    ("scene", "keys"),
    [
        (scenes.training_with_alert, "g"),
        (scenes.queue_finished, "h"),
        (scenes.going_well, "x"),
        (scenes.training_with_alert, "n"),
        (scenes.going_well, "t"),
        (scenes.training_with_alert, "/ood"),
    ],
    ids=["all_numbers", "alert_history", "cursor", "next_alert", "whole_log", "filtered_log"],
)
def test_what_a_person_opens(
    snap_compare: Compare,
    make_app: MakeApp,
    scene: Callable[[], MemoryWorkspace],
    keys: str,
    size: tuple[int, int],
) -> None:
    async def press(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await pilot.press(*("slash" if key == "/" else key for key in keys))
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()

    assert snap_compare(make_app(scene()), terminal_size=size, run_before=press)


@pytest.mark.parametrize("size", [MEDIUM, (60, 18), (30, 8)], ids=["120x40", "60x18", "30x8"])
def test_gauges_and_little_room(
    snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]
) -> None:
    async def measure(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        gpu = Gpu("NVIDIA H100", 95.0, 60.1 * GB, 80 * GB, 71)
        pilot.app.post_message(Gauged(Gauges(85.0, 7.4 * GB, 8 * GB, 41 * GB, (gpu,))))
        await pilot.pause()

    desk = scenes.going_well()
    desk.holder = RunnerView(alive=True, here=True)
    assert snap_compare(make_app(desk), terminal_size=size, run_before=measure)


def test_log_scale_zoomed(snap_compare: Compare, make_app: MakeApp) -> None:
    async def press(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await pilot.press("l", "plus", "plus", "left", "left_square_bracket")

    assert snap_compare(make_app(scenes.going_well()), terminal_size=MEDIUM, run_before=press)


def test_ascii_only(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(scenes.training_with_alert(), environment={"LC_ALL": "POSIX"})
    assert snap_compare(app, terminal_size=SMALL, run_before=settle)


def test_without_colours(
    snap_compare: Compare, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(scenes.training_with_alert())
    assert snap_compare(app, terminal_size=SMALL, run_before=settle)


@pytest.mark.parametrize("theme", ["lvm-light", "lvm-colour-blind", "lvm-high-contrast"])
def test_another_theme(snap_compare: Compare, make_app: MakeApp, theme: str) -> None:
    look = DashboardSettings(theme=theme, animations="none")
    app = make_app(scenes.training_with_alert(), look=look)
    assert snap_compare(app, terminal_size=MEDIUM, run_before=settle)


def test_watching_a_finished_run(snap_compare: Compare, make_app: MakeApp) -> None:
    desk = scenes.queue_finished()
    desk.holder = RunnerView()
    app = make_app(desk, watch=True, run="gru_5cat_20251030_230000")
    assert snap_compare(app, terminal_size=MEDIUM, run_before=settle)
