"""The app itself: leaving, help, palette, keys of one's own, themes, trouble, news."""

from __future__ import annotations

import re

import pytest

from lvm import events as e
from lvm.config import DashboardSettings, NotifySettings
from lvm.errors import RunError, SettingsError
from lvm_tui.screens.dialogs import Ask
from lvm_tui.screens.help import Help
from lvm_tui.state.views import JobRow
from lvm_tui.widgets.alert_banner import AlertBanner
from lvm_tui.widgets.key_bar import KeyBar
from lvm_tui.widgets.run_header import RunHeader

from . import scenes
from .conftest import MakeApp, Open, body, look, shown
from .scripted import Plan, end

RUN = Plan().run


async def test_q_leaves_at_once_when_nothing_trains_here(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert app.return_value == "quit"


async def test_the_help_lists_every_key_of_the_dashboard(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        text = str(app.screen.query("Static").first().render())
        assert "g  Gates" in text
        for key in (
            "space",
            "s",
            "a",
            "l",
            "[ ]",
            "+ -",
            "← →",
            "0",
            "e",
            "c",
            "1",
            "?",
            "q",
            "^p",
        ):
            assert re.search(rf"(^| ){re.escape(key)} ", text, re.MULTILINE), key
        assert "Scroll" not in text
        await pilot.press("escape")
        assert not isinstance(app.screen, Help)


async def test_the_palette_has_every_action(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, _):
        titles = [command.title for command in app.get_system_commands(app.screen)]
        for words in ("Pause", "Stop", "Acknowledge", "Log scale", "Export", "Help", "Leave"):
            assert words in titles
        assert len(titles) == len(set(titles))


async def test_the_key_bar_names_the_screens_and_the_keys(opened: Open) -> None:
    async with opened(scenes.going_well(), size=(80, 24)) as (app, _):
        text = shown(app, KeyBar)
        for words in ("1 Dash", "6 Runs", "space pause", "s stop", "? help", "q leave"):
            assert words in text


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (80, "1 Dash 2 Queue 3 Prod 4 Chat 5 Data 6 Runs  space pause"),
        (100, "1 Dashboard 2 Queue 3 Promote 4 Services 5 Data 6 Runs  "),
        (120, " 1 Dashboard   2 Queue   3 Promote   4 Services   5 Data   6 Runs  "),
    ],
)
async def test_screens_are_named_in_full_or_all_of_them_in_short(
    opened: Open, width: int, names: str
) -> None:
    async with opened(scenes.going_well(), size=(width, 24)) as (app, _):
        assert shown(app, KeyBar).startswith(names)


async def test_the_key_bar_can_be_clicked(opened: Open) -> None:
    desk = scenes.going_well()
    async with opened(desk, size=(180, 40)) as (app, pilot):
        bar = shown(app, KeyBar)
        await pilot.click(KeyBar, offset=(bar.index("gates"), 0))
        assert body(app) == "gates"
        await pilot.click(KeyBar, offset=(bar.index("pause"), 0))
        assert desk.sent == [("pause", "")]


async def test_who_only_looks_is_not_offered_to_steer(opened: Open) -> None:
    async with opened(scenes.going_well(), watch=True) as (app, _):
        assert "pause" not in shown(app, KeyBar)
        assert "q leave" in shown(app, KeyBar)


async def test_keys_can_be_chosen_in_the_settings(opened: Open) -> None:
    look_ = DashboardSettings(animations="none", keys={"pause": "p"})
    desk = scenes.going_well()
    async with opened(desk, look=look_) as (_, pilot):
        await pilot.press("space")
        assert desk.sent == []
        await pilot.press("p")
        assert desk.sent == [("pause", "")]


@pytest.mark.parametrize(
    ("look_", "words"),
    [
        (DashboardSettings(keys={"pauze": "p"}), "did you mean pause"),
        (DashboardSettings(theme="neon"), "lvm-dark"),
    ],
)
def test_unknown_actions_and_themes_are_refused(
    make_app: MakeApp, look_: DashboardSettings, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        make_app(scenes.empty(), look=look_)


async def test_severe_alerts_flash_and_a_calm_dashboard_never_does(opened: Open) -> None:
    lively = DashboardSettings(animations="full")
    async with opened(scenes.training_with_alert(), look=lively) as (app, _):
        banner = app.screen.query_one(AlertBanner)
        assert banner.flashing
        was_dark = banner.has_class("-dark")  # its own timer runs as well
        banner.flash()
        assert banner.has_class("-dark") != was_dark
        banner.flash()
        assert banner.has_class("-dark") == was_dark
    async with opened(scenes.training_with_alert()) as (app, _):
        assert not app.screen.query_one(AlertBanner).flashing


async def test_an_acknowledged_alert_stops_flashing(opened: Open) -> None:
    lively = DashboardSettings(animations="full")
    async with opened(scenes.training_with_alert(), look=lively) as (app, pilot):
        await pilot.press("a")
        await look(app, pilot)
        await pilot.press("a")
        await look(app, pilot)
        banner = app.screen.query_one(AlertBanner)
        assert not banner.flashing
        assert not banner.has_class("-dark")


@pytest.mark.parametrize("name", ["LVM_TUI_ANIMATIONS", "TEXTUAL_ANIMATIONS"])
def test_the_environment_asks_for_calm(make_app: MakeApp, name: str) -> None:
    look_ = DashboardSettings()
    assert make_app(scenes.empty(), look=look_, environment={name: "none"}).calm
    assert not make_app(scenes.empty(), look=look_, environment={name: "full"}).calm


async def test_trouble_with_the_database_is_told_once_and_passes(opened: Open) -> None:
    desk = scenes.going_well()
    async with opened(desk) as (app, pilot):
        whole = desk.jobs

        def broken() -> tuple[JobRow, ...]:
            raise RunError("locked for more than 10 s", where="lvm.db", fix="see what hangs")

        desk.jobs = broken  # type: ignore[method-assign]
        for _ in range(3):
            app.tick()
            await pilot.pause()
        assert sum(isinstance(screen, Ask) for screen in app.screen_stack) == 1
        assert "see what hangs" in str(app.screen.query_one("#text").render())
        desk.jobs = whole  # type: ignore[method-assign]
        await pilot.press("c")
        desk.runs[RUN].add(e.Paused(step=1260))
        app.tick()
        await pilot.pause()
        assert "PAUSED" in shown(app, RunHeader)


async def test_news_is_told_to_the_terminal_once_and_old_news_never(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = scenes.training_with_alert()  # two open alerts: told when they came up, not now
    async with opened(desk, words=NotifySettings(terminal="osc9")) as (app, _):
        said: list[str] = []
        monkeypatch.setattr(app, "say", said.append)
        desk.runs[RUN].add(e.AlertRaised("slow_epoch-6", "slow_epoch", "notice", "slow epoch 6"))
        app.tick()
        assert said == []
        desk.runs[RUN].add(e.AlertRaised("collapse-6", "collapse", "alarm", "COLLAPSED"))
        app.tick()
        app.tick()
        assert said == [f"\x1b]9;alarm in {RUN}: COLLAPSED\x1b\\"]
        end(desk.runs[RUN], Plan())
        app.tick()
        assert said[1].startswith(f"\x1b]9;{RUN} completed: after 20 epochs")
        desk.workspace.add(e.QueueFinished(4, 0))
        app.tick()
        app.tick()
        assert len(said) == 3
        assert "queue finished" in said[2]


async def test_a_bell_is_what_a_terminal_gets_by_default(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = scenes.going_well()
    async with opened(desk) as (app, _):
        written: list[str] = []
        monkeypatch.setattr(app._driver, "write", written.append)
        desk.runs[RUN].add(e.AlertRaised("collapse-6", "collapse", "alarm", "COLLAPSED"))
        app.tick()
        assert "\a" in written
