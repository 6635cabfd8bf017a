"""What the dashboard shows of a scripted workspace, in the real app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lvm import events as e
from lvm_tui.state.views import RunnerView
from lvm_tui.widgets.log_tail import LogTail
from lvm_tui.widgets.quality import QualityPanel
from lvm_tui.widgets.queue_strip import QueueStrip
from lvm_tui.widgets.run_header import RunHeader
from lvm_tui.widgets.scoreboard import Scoreboard

from . import scenes
from .conftest import Open, body, look, shown
from .scripted import Plan, Script, begin, end, epoch, loaded
from .sources import FOUR, MemoryWorkspace

RUN = Plan().run


# ------------------------------------------------------------------ what is shown


async def test_the_header_names_run_device_epoch_speed_and_time_left(opened: Open) -> None:
    async with opened(scenes.training_with_alert()) as (app, _):
        text = shown(app, RunHeader)
        for part in (RUN, "cpu", "epoch 7/20", "lr 5.0e-4", "2.6k seq/s", "batch 32/80", "40%"):
            assert part in text
        assert "ETA 2:08" in text


async def test_a_first_battery_has_no_time_left_before_anything_of_it_is_done(
    opened: Open,
) -> None:
    desk = scenes.going_well()
    async with opened(desk) as (app, pilot):
        desk.runs[RUN].add(e.FivecatStarted(15, 1000, 3))
        await look(app, pilot)
        assert "5CAT running" in shown(app, RunHeader)
        assert ("ETA 0:00" in shown(app, RunHeader)) is False


async def test_a_run_that_has_ended_has_no_speed(opened: Open) -> None:
    async with opened(scenes.queue_finished()) as (app, _):
        assert "seq/s" not in shown(app, RunHeader)


async def test_a_run_whose_runner_is_gone_is_not_called_training(opened: Open) -> None:
    async with opened(scenes.left_behind()) as (app, _):
        text = shown(app, RunHeader)
        assert "not running: its runner is gone · space goes on from the last save" in text
        assert "ETA" not in text
        assert "nobody trains: space goes on" in shown(app, QueueStrip)


async def test_the_scoreboard_has_every_number_with_its_need_and_verdict(opened: Open) -> None:
    async with opened(scenes.training_with_alert()) as (app, _):
        text = shown(app, Scoreboard)
        rows = {line[3:12].strip(): line for line in text.splitlines()}
        assert rows["margin"].split()[:7] == [
            "margin",
            "−0.084",
            "✗",
            "≥+.12",
            "−0.090",
            "✗",
            "≥+.10",
        ]
        assert {"cos", "margin", "R@1", "R@5", "MRR", "rollout", "bins"} <= rows.keys()
        assert {"shuffled", "reversed", "one out", "repeated", "crossed"} <= rows.keys()
        assert "not ready for production ✗" in text
        assert "VAL margin −0.084, needs ≥ +0.10: short by 0.184" in text


async def test_without_a_battery_needs_are_shown_and_nothing_is_judged(opened: Open) -> None:
    script = Script()
    begin(script, Plan())
    loaded(script, Plan())
    epoch(script, Plan(), 1)
    async with opened(MemoryWorkspace({RUN: script}, jobs=FOUR)) as (app, _):
        text = shown(app, Scoreboard)
        assert "≥+.12" in text
        assert "✓" not in text
        assert "✗" not in text


async def test_an_order_blind_model_is_called_so(opened: Open) -> None:
    desk = scenes.going_well()
    finished = next(
        record.event
        for record in reversed(desk.runs[RUN].records)
        if isinstance(record.event, e.FivecatFinished)
    )
    finished.result["order_blind"] = True
    async with opened(desk) as (app, _):
        assert "order-blind model" in shown(app, Scoreboard)


async def test_a_number_that_was_not_measured_is_neither_passed_nor_failed(opened: Open) -> None:
    desk = scenes.going_well()
    for record in desk.runs[RUN].records:
        if isinstance(record.event, e.FivecatFinished):
            record.event.result["VAL"]["r1"] = None
    async with opened(desk) as (app, _):
        row = next(line for line in shown(app, Scoreboard).splitlines() if "R@1" in line)
        assert row.split()[2:4] == ["–", "?"]


async def test_the_queue_strip_shows_every_job_with_its_state(opened: Open) -> None:
    desk = scenes.training_with_alert()
    states = ("done", "failed", "running", "queued")
    desk.rows = tuple(replace(job, state=state) for job, state in zip(FOUR, states, strict=True))
    async with opened(desk) as (app, _):
        text = shown(app, QueueStrip)
        assert "✓ transformer   ✗ gru   ▶ lstm   · amn" in text
        assert "attached to ada 4711" in text


async def test_the_log_shows_workspace_and_run_in_one_order(opened: Open) -> None:
    async with opened(scenes.data_is_checked()) as (app, _):
        lines = shown(app, LogTail).splitlines()
        assert any("encode done" in line for line in lines)
        assert "data python_docs.npz" in lines[-1]
        times = [line[:8] for line in lines]
        assert times == sorted(times)


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (scenes.empty, "welcome"),
        (scenes.preparing, "preparation"),
        (scenes.data_is_checked, "preparation"),
        (scenes.training_with_alert, "training"),
        (scenes.queue_finished, "summary"),
    ],
)
async def test_the_body_follows_what_is_going_on(
    opened: Open, scene: Callable[[], MemoryWorkspace], expected: str
) -> None:
    async with opened(scene()) as (app, _):
        assert body(app) == expected


async def test_a_new_job_after_the_end_brings_the_charts_back(opened: Open) -> None:
    desk = scenes.queue_finished()
    async with opened(desk) as (app, pilot):
        plan = Plan("gru_5cat_20251101_080000", "gru")
        desk.workspace.add(e.JobStarted(5, "gru", plan.run))
        script = Script(now=desk.workspace.now)
        begin(script, plan)
        epoch(script, plan, 1, until=3)
        desk.runs[plan.run] = script
        desk.rows = (*desk.rows, replace(FOUR[0], id=5, model="gru", run=plan.run))
        desk.holder = RunnerView(alive=True, here=True)
        await look(app, pilot)
        assert body(app) == "training"
        assert plan.run in shown(app, RunHeader)


async def test_every_size_from_80x24_to_300x100_draws_without_error(opened: Open) -> None:
    async with opened(scenes.going_well(), size=(80, 24)) as (app, pilot):
        for size in ((80, 24), (81, 25), (109, 31), (110, 32), (200, 60), (300, 100), (40, 12)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert app.screen.size == size


async def test_at_80x24_every_gate_and_the_verdict_are_in_sight_even_under_an_alert(
    opened: Open,
) -> None:
    async with opened(scenes.training_with_alert(), size=(80, 24)) as (app, _):
        board = app.screen.query_one(Scoreboard)
        lines = shown(app, Scoreboard).splitlines()
        assert len(lines) <= board.size.height
        assert lines[-1] == "not ready ✗ 1/5 · margin short by .184"
        assert max(map(len, lines)) <= board.size.width


async def test_data_that_was_refused_stays_in_sight(opened: Open) -> None:
    desk = scenes.data_is_checked(good=False)
    end(desk.runs[RUN], Plan(), "failed", "the data has no direction")
    async with opened(desk) as (app, _):
        assert body(app) == "preparation"
        assert "the data has no direction" in shown(app, QualityPanel)
        assert "FAILED" in shown(app, RunHeader)


async def test_every_theme_draws(opened: Open) -> None:
    async with opened(scenes.training_with_alert()) as (app, pilot):
        for name in app.available_themes:
            app.theme = name
            await pilot.pause()
            assert "▁" in shown(app, Scoreboard)
            assert app.export_screenshot()


# ------------------------------------------------------------------ keys of the charts
# ------------------------------------------------------------------ keys that steer
# ------------------------------------------------------------------ the app
# ------------------------------------------------------------------ how much work it is
