"""Keys that steer a training and answer alerts, pressed in the real app."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvm import events as e
from lvm.errors import DiskError
from lvm_tui.screens.dialogs import Ask
from lvm_tui.widgets.alert_banner import AlertBanner
from lvm_tui.widgets.log_tail import LogTail
from lvm_tui.widgets.queue_strip import QueueStrip
from lvm_tui.widgets.run_header import RunHeader

from . import scenes
from .conftest import Open, body, look, shown
from .scripted import Plan, Script, begin, epoch, training
from .sources import FOUR, MemoryWorkspace

RUN = Plan().run


async def test_space_pauses_and_goes_on(opened: Open) -> None:
    desk = scenes.going_well()
    async with opened(desk) as (app, pilot):
        await pilot.press("space")
        assert desk.sent == [("pause", "")]
        desk.runs[RUN].add(e.Paused(step=1260, by="ada"))
        await look(app, pilot)
        assert "PAUSED" in shown(app, RunHeader)
        await pilot.press("space")
        assert desk.sent[-1] == ("resume", "")


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        (["y"], [("stop", "")]),
        (["enter"], [("stop", "")]),
        (["n"], []),
        (["escape"], []),
        (["right", "enter"], []),
    ],
)
async def test_s_asks_before_it_stops(
    opened: Open, keys: list[str], sent: list[tuple[str, str]]
) -> None:
    desk = scenes.going_well()
    async with opened(desk) as (app, pilot):
        await pilot.press("s")
        assert isinstance(app.screen, Ask)
        assert desk.sent == []
        await pilot.press(*keys)
        await pilot.pause()
        assert not isinstance(app.screen, Ask)
        assert desk.sent == sent


async def test_a_acknowledges_the_alert_that_is_shown_then_the_next(opened: Open) -> None:
    desk = scenes.training_with_alert()
    async with opened(desk) as (app, pilot):
        banner = app.screen.query_one(AlertBanner)
        assert "BACKWARD BIAS  VAL margin −0.084" in str(banner.render())
        assert "1 of 2" in str(banner.render())
        await pilot.press("a")
        await look(app, pilot)
        assert "BACKWARD BIAS  OOD" in str(banner.render())
        assert "1 of" not in str(banner.render())
        await pilot.press("a")
        await look(app, pilot)
        assert not banner.display
        assert [argument for _, argument in desk.sent] == [
            "backward_bias-5-VAL",
            "backward_bias-5-OOD",
        ]


async def test_what_was_acknowledged_is_shown_as_taken_before_the_log_tells(opened: Open) -> None:
    desk = scenes.training_with_alert()
    desk.slow_to_acknowledge = True
    async with opened(desk) as (app, pilot):
        banner = app.screen.query_one(AlertBanner)
        await pilot.press("a")
        await pilot.pause()
        assert "BACKWARD BIAS  OOD" in str(banner.render())
        assert "acknowledging … 1 more" in str(banner.render())
        await pilot.press("a")
        await pilot.pause()
        assert "acknowledging … 2 alerts" in str(banner.render())
        assert "[a]" not in str(banner.render())
        assert len(desk.sent) == 2
        desk.settle()
        await look(app, pilot)
        assert not banner.display


async def test_an_alert_of_an_earlier_run_stays_while_the_next_one_trains(opened: Open) -> None:
    first = training()
    plan = Plan("gru_5cat_20251030_230000", "gru")
    second = Script(now=first.now)
    begin(second, plan)
    epoch(second, plan, 1)
    desk = MemoryWorkspace({RUN: first, plan.run: second})
    desk.rows = (
        replace(FOUR[0], state="stopped"),
        replace(FOUR[1], state="running", run=plan.run),
    )
    async with opened(desk) as (app, pilot):
        assert plan.run in shown(app, RunHeader)
        assert RUN in shown(app, AlertBanner)
        await pilot.press("a", "a", "a")  # quicker than the log can tell
        assert [argument for _, argument in desk.sent] == [
            "backward_bias-5-VAL",
            "backward_bias-5-OOD",
        ]
        await look(app, pilot)
        assert not app.screen.query_one(AlertBanner).display


async def test_shift_a_acknowledges_every_open_alert(opened: Open) -> None:
    desk = scenes.training_with_alert()
    async with opened(desk) as (app, pilot):
        assert "[A] all" in shown(app, AlertBanner)
        await pilot.press("A")
        await look(app, pilot)
        assert len(desk.sent) == 2
        assert app.frame.alerts == ()


async def test_the_most_urgent_alert_comes_first(opened: Open) -> None:
    desk = scenes.training_with_alert()
    desk.runs[RUN].add(e.AlertRaised("slow_epoch-6", "slow_epoch", "notice", "slow epoch 6"))
    desk.runs[RUN].add(e.AlertRaised("collapse-6", "collapse", "severe", "COLLAPSED"))
    async with opened(desk) as (app, _):
        assert "▲▲▲ COLLAPSED" in shown(app, AlertBanner)
        assert "1 of 4" in shown(app, AlertBanner)


async def test_looking_only_steers_nothing(opened: Open) -> None:
    desk = scenes.training_with_alert()
    async with opened(desk, watch=True) as (app, pilot):
        await pilot.press("space", "s", "a")
        await pilot.pause()
        assert desk.sent == []
        assert "look only" in shown(app, QueueStrip)
        assert {toast.severity for toast in app._notifications} == {"warning"}


async def test_watching_one_run_leaves_out_what_happens_elsewhere(opened: Open) -> None:
    desk = scenes.queue_finished()
    desk.runs[RUN].records = desk.runs[RUN].records[:-2]  # nobody has acknowledged
    gru = "gru_5cat_20251030_230000"
    async with opened(desk, watch=True, run=gru) as (app, _):
        assert body(app) == "training"
        assert gru in shown(app, RunHeader)
        assert not app.screen.query_one(AlertBanner).display
        assert "queue finished" not in shown(app, LogTail)
    async with opened(desk, watch=True, run=RUN) as (app, _):
        assert "BACKWARD BIAS" in shown(app, AlertBanner)
        assert "[a]" not in shown(app, AlertBanner)


async def test_without_a_runner_keys_say_that_nothing_trains(opened: Open) -> None:
    desk = scenes.left_behind()
    async with opened(desk) as (app, pilot):
        await pilot.press("s")
        assert desk.sent == []
        assert [toast.message for toast in app._notifications] == ["nothing trains at the moment"]


async def test_a_command_that_cannot_be_sent_is_told_in_a_modal(opened: Open) -> None:
    desk = scenes.going_well()

    def fail(kind: str, argument: str = "") -> None:
        raise DiskError("cannot write: no space left", where="lvm.db", fix="free some space")

    desk.send = fail  # type: ignore[method-assign]
    async with opened(desk) as (app, pilot):
        await pilot.press("space")
        await pilot.pause()
        text = str(app.screen.query_one("#text").render())
        assert "no space left" in text
        assert "lvm.db" in text
        assert "free some space" in text
