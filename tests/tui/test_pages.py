"""What a person opens over the dashboard: all numbers, all alerts; and what the banner cycles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lvm import events as e
from lvm.config import DashboardSettings
from lvm_tui.screens.run_page import RunPage
from lvm_tui.widgets.alert_banner import AlertBanner
from lvm_tui.widgets.alert_history import AlertHistory
from lvm_tui.widgets.gate_table import GateTable
from lvm_tui.widgets.log_view import LogView
from lvm_tui.widgets.run_header import RunHeader
from lvm_tui.widgets.scoreboard import Scoreboard
from lvm_tui.widgets.summary import Summary
from lvm_tui.widgets.too_small import TooSmall

from . import scenes
from .conftest import Open, body, look, shown
from .disk import Disk
from .screens import press, screen
from .scripted import Plan, forecast

RUN = Plan().run


def row_of(text: str, label: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [label])


# ------------------------------------------------------------------ all numbers


async def test_g_shows_every_number_of_both_splits_with_need_and_distance(opened: Open) -> None:
    async with opened(scenes.training_with_alert(), size=(80, 24)) as (app, pilot):
        await pilot.press("g")
        assert body(app) == "gates"
        text = shown(app, GateTable)
        assert row_of(text, "margin")[:9] == [
            "margin", "−0.084", "✗", "≥+.12", "−.204", "−0.090", "✗", "≥+.10", "−.190",
        ]  # fmt: skip
        for label in ("cos", "R@1", "R@5", "MRR", "shuffled", "reversed", "repeated", "crossed"):
            assert len(row_of(text, label)) >= 9
        assert row_of(text, "high")[:6] == ["high", "0.630", "of", "217", "0.618", "of"]
        assert [row_of(text, "step")[1], text.count("step ")] == ["1", 3]
        assert "VAL margin −0.084, needs ≥ +0.10: short by 0.184" in text
        assert "VAL  1,000 of 1,000 samples" in text
        await pilot.press("g")
        assert body(app) == "training"


async def test_ranks_without_the_contexts_are_there_as_information(opened: Open) -> None:
    desk = scenes.going_well()
    for record in desk.runs[RUN].records:
        if isinstance(record.event, e.FivecatFinished):
            record.event.result["VAL"] |= {
                "r1_without_context": 0.731, "r5_without_context": 0.98, "mrr_without_context": 0.9
            }  # fmt: skip
    async with opened(desk) as (app, pilot):
        await pilot.press("g")
        lines = shown(app, GateTable).splitlines()
        at = next(i for i, line in enumerate(lines) if "for information" in line)
        assert lines[at + 1].split() == ["R@1", "0.731", "–"]


async def test_the_trend_of_every_number_grows_with_the_batteries(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        assert row_of(shown(app, Scoreboard), "margin")[-2:] == ["+.051", "▁▅█"]
        await pilot.press("g")
        assert row_of(shown(app, GateTable), "margin")[-2:] == ["▁▅█", "▁▅█"]


async def test_the_page_scrolls_to_its_last_line_at_80x24(opened: Open) -> None:
    async with opened(scenes.training_with_alert(), size=(80, 24)) as (app, pilot):
        await pilot.press("g", "end")
        await pilot.pause()
        page = app.screen.query_one("#gates")
        assert page.scroll_y == page.max_scroll_y > 0
        await pilot.press("escape")
        assert body(app) == "training"
        await pilot.press("l")  # the keys of the charts are back
        assert app.screen.look.log  # type: ignore[attr-defined]


async def test_the_numbers_stand_beside_those_of_the_baselines(opened: Open) -> None:
    desk = scenes.going_well()
    forecast(desk.runs[RUN])
    async with opened(desk, size=(120, 60)) as (app, pilot):
        assert "VAL cosine below ridge −0.045" in shown(app, Scoreboard)
        await pilot.press("g")
        lines = shown(app, GateTable).splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("baselines"))
        assert "does not beat ridge on VAL cosine: 0.560, ridge 0.605" in lines[at]
        assert lines[at + 2].split() == ["VAL", "cos", "0.560", "0.550", "0.570", "0.605"]
        assert lines[at + 3].split()[1:4] == ["margin", "+0.171", "−0.450"]


async def test_without_a_forecast_there_are_no_baselines(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        await pilot.press("g")
        assert "baselines" not in shown(app, GateTable)


async def test_before_the_first_battery_the_page_says_when_it_comes(opened: Open) -> None:
    desk = scenes.data_is_checked()
    async with opened(desk) as (app, pilot):
        await pilot.press("g")
        assert "the first one comes after epoch 5" in shown(app, GateTable)


async def test_without_a_run_there_is_nothing_to_judge(opened: Open) -> None:
    async with opened(scenes.empty()) as (app, pilot):
        await pilot.press("g")
        assert body(app) == "welcome"
        assert [toast.message for toast in app._notifications] == [
            "no run yet: there is nothing to judge"
        ]


async def test_the_board_names_the_key_and_can_be_clicked(opened: Open) -> None:
    async with opened(scenes.going_well(), size=(120, 40)) as (app, pilot):
        title = shown(app, Scoreboard).splitlines()[0]
        assert title.endswith("[g] all")
        await pilot.click(Scoreboard, offset=(title.index("[g]") + 3, 0))
        assert body(app) == "gates"


async def test_a_key_that_was_changed_is_named_everywhere(opened: Open) -> None:
    keys = {"gates": "f5", "acknowledge": "f6"}
    looks = DashboardSettings(animations="none", keys=keys)
    async with opened(scenes.training_with_alert(), look=looks) as (app, pilot):
        assert "[f5] all" in shown(app, Scoreboard)
        assert "[f6] acknowledge" in shown(app, AlertBanner)
        assert "f5 gates" in shown(app, type(app.screen.query_one("#keys")))
        await pilot.press("question_mark")
        assert "f5  Gates" in str(app.screen.query("Static").first().render())


async def test_a_newcomer_is_told_the_key_that_was_changed(opened: Open) -> None:
    looks = DashboardSettings(animations="none", keys={"queue": "f2", "charts": "C"})
    async with opened(scenes.empty(), look=looks) as (app, _):
        await app.workers.wait_for_complete()
        assert "f2 then A  " in str(app.screen.query_one("#welcome").render())
    async with opened(scenes.queue_finished(), look=looks) as (app, _):
        assert "[f2] queue more" in shown(app, Summary)
        assert "[C] show the charts" in shown(app, Summary)


async def test_a_paused_run_names_the_key_that_goes_on(opened: Open) -> None:
    keys = DashboardSettings(animations="none", keys={"pause": "p"})
    async with opened(scenes.paused(), look=keys) as (app, _):
        assert "PAUSED, p goes on" in shown(app, RunHeader)
    async with opened(scenes.paused(), watch=True) as (app, _):
        assert "goes on" not in shown(app, RunHeader)


# ------------------------------------------------------------------ alerts


async def test_h_shows_every_alert_with_who_acknowledged_it_and_when(opened: Open) -> None:
    async with opened(scenes.queue_finished()) as (app, pilot):
        await pilot.press("h")
        assert body(app) == "alerts"
        text = shown(app, AlertHistory)
        assert "2 raised, none open" in text
        assert text.count("acknowledged by ada at 10-30 22:03:07") == 2
        await pilot.press("h")
        assert body(app) == "summary"


async def test_an_open_alert_in_the_history_says_what_to_do(opened: Open) -> None:
    async with opened(scenes.training_with_alert(), size=(80, 24)) as (app, pilot):
        await pilot.press("h")
        text = shown(app, AlertHistory)
        assert "2 raised, 2 open" in text
        assert "open  → check the data" in text
        await pilot.press("a")
        await look(app, pilot)
        assert "acknowledged by test" in shown(app, AlertHistory)
        assert "2 raised, 1 open" in shown(app, AlertHistory)


async def test_n_shows_the_next_alert_and_a_acknowledges_the_one_shown(opened: Open) -> None:
    desk = scenes.training_with_alert()
    async with opened(desk) as (app, pilot):
        await pilot.press("n")
        assert "OOD margin" in shown(app, AlertBanner)
        assert "2 of 2" in shown(app, AlertBanner)
        await pilot.press("n")
        assert "1 of 2" in shown(app, AlertBanner)
        await pilot.press("n", "a")
        assert desk.sent == [("acknowledge", "backward_bias-5-OOD")]
        await look(app, pilot)
        assert "VAL margin" in shown(app, AlertBanner)


async def test_a_more_urgent_alert_comes_before_the_one_that_was_chosen(opened: Open) -> None:
    desk = scenes.training_with_alert()
    async with opened(desk) as (app, pilot):
        await pilot.press("n")
        desk.runs[RUN].add(e.AlertRaised("collapse-6", "collapse", "severe", "COLLAPSED"))
        await look(app, pilot)
        assert "COLLAPSED" in shown(app, AlertBanner)


async def test_the_banner_can_be_clicked(opened: Open) -> None:
    desk = scenes.training_with_alert()
    async with opened(desk) as (app, pilot):
        top = shown(app, AlertBanner).splitlines()[0]
        await pilot.click(AlertBanner, offset=(top.index("[n]") + 2, 0))
        assert "2 of 2" in shown(app, AlertBanner)
        await pilot.click(AlertBanner, offset=(top.index("[a]") + 2, 0))
        assert desk.sent == [("acknowledge", "backward_bias-5-OOD")]


async def test_the_banner_offers_no_key_that_means_something_else_on_this_screen(
    disk: Disk,
) -> None:
    async with screen(disk, size=(120, 40)) as pilot:
        alerts = shown(pilot.app, AlertBanner)  # type: ignore[arg-type]
        assert "[a] acknowledge" in alerts
        assert "[n] next" in alerts
        await press(pilot, "2")
        alerts = shown(pilot.app, AlertBanner)  # type: ignore[arg-type]
        assert "[a] acknowledge" in alerts
        assert "[n]" not in alerts  # n adds a job here
        assert "[A]" not in alerts


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    made = Disk(tmp_path)
    made.write_run(RUN, scenes.training_with_alert().runs[RUN])
    return made


# ------------------------------------------------------------------ looks and palette


async def test_the_palette_has_every_action_of_every_screen(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, _):
        titles = [command.title for command in app.get_system_commands(app.screen)]
        for words in ("Gates", "Alert history", "Cursor: values at a place", "Next alert"):
            assert words in titles
        for words in ("Queue: Add a job", "Runs: Search", "Runs: Another order"):
            assert words in titles
        assert len(titles) == len(set(titles))


async def test_an_action_of_another_screen_shows_that_screen_first(disk: Disk) -> None:
    async with screen(disk) as pilot:
        app: Any = pilot.app
        commands = {each.title: each for each in app.get_system_commands(app.screen)}
        await commands["Runs: Another order"].callback()
        await pilot.pause()
        assert app.current_mode == "runs"


async def test_a_theme_that_was_chosen_says_how_to_keep_it(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, pilot):
        app.theme = "lvm-high-contrast"
        await pilot.pause()
        assert [toast.message for toast in app._notifications] == [
            'to keep it: theme = "lvm-high-contrast" in [dashboard] of lvm.toml'
        ]


# ------------------------------------------------------------------ little room


async def test_a_cramped_terminal_keeps_the_loss_and_the_alert(opened: Open) -> None:
    async with opened(scenes.training_with_alert(), size=(60, 18)) as (app, pilot):
        assert not app.screen.query_one(Scoreboard).display
        assert app.screen.query_one("#loss").size.width > 50
        assert app.screen.query_one(AlertBanner).display
        assert not app.screen.query_one(TooSmall).display
        await pilot.press("g")
        assert "margin" in shown(app, GateTable)


async def test_a_terminal_of_no_use_says_so_and_recovers(opened: Open) -> None:
    async with opened(scenes.going_well(), size=(80, 24)) as (app, pilot):
        await pilot.resize_terminal(30, 8)
        await pilot.pause()
        assert app.screen.query_one(TooSmall).display
        said = " ".join(shown(app, TooSmall).split())
        assert "30×8 is too small" in said
        assert "training goes on" in said
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not app.screen.query_one(TooSmall).display
        assert app.screen.query_one(Scoreboard).display


async def test_an_opened_run_has_the_same_pages_and_escape_goes_back_step_by_step(
    disk: Disk,
) -> None:
    async with screen(disk, "6", "enter", "g", size=(120, 40)) as pilot:
        app: Any = pilot.app
        assert isinstance(app.screen, RunPage)
        assert "−0.084" in shown(app, GateTable)
        await press(pilot, "h")
        assert "2 raised, 2 open" in shown(app, AlertHistory)
        await press(pilot, "t")
        assert "5CAT of epoch 5" in app.screen.query_one(LogView).visible_text()
        await press(pilot, "escape")
        assert isinstance(app.screen, RunPage)
        assert body(app) == "training"
        await press(pilot, "escape")
        assert not isinstance(app.screen, RunPage)
