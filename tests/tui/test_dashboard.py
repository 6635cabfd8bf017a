"""Every key of the dashboard, pressed in the real app over a scripted workspace."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from textual.events import MouseScrollDown, MouseScrollUp

from lvm import events as e
from lvm.config import DashboardSettings, NotifySettings
from lvm.errors import DiskError, RunError, SettingsError
from lvm_tui.app import LvmApp
from lvm_tui.live import CHUNK, Live
from lvm_tui.screens.dialogs import Ask
from lvm_tui.screens.help import Help
from lvm_tui.state.views import JobRow, RunnerView
from lvm_tui.widgets.alert_banner import AlertBanner
from lvm_tui.widgets.key_bar import KeyBar
from lvm_tui.widgets.log_tail import LogTail
from lvm_tui.widgets.loss_chart import LineChart
from lvm_tui.widgets.quality import QualityPanel
from lvm_tui.widgets.queue_strip import QueueStrip
from lvm_tui.widgets.run_header import RunHeader
from lvm_tui.widgets.scoreboard import Scoreboard

from . import scenes
from .conftest import MakeApp, Open, body, look, shown
from .scripted import Plan, Script, begin, end, epoch, loaded, training
from .sources import FOUR, MemoryWorkspace

RUN = Plan().run


# ------------------------------------------------------------------ what is shown


async def test_the_header_names_run_device_epoch_speed_and_time_left(opened: Open) -> None:
    async with opened(scenes.training_with_alert()) as (app, _):
        text = shown(app, RunHeader)
        for part in (RUN, "cpu", "epoch 7/20", "lr 5.0e-4", "2.6k seq/s", "batch 32/80", "40%"):
            assert part in text
        assert "ETA 2:08" in text


async def test_a_run_whose_runner_is_gone_is_not_called_training(opened: Open) -> None:
    async with opened(scenes.left_behind()) as (app, _):
        assert "not running: its runner is gone" in shown(app, RunHeader)
        assert "nothing trains" in shown(app, QueueStrip)


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
        await pilot.press("0")
        assert "×" not in title(app)


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


# ------------------------------------------------------------------ keys that steer


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


# ------------------------------------------------------------------ the app


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


async def test_the_key_bar_can_be_clicked(opened: Open) -> None:
    desk = scenes.going_well()
    async with opened(desk, size=(180, 40)) as (app, pilot):
        bar = shown(app, KeyBar)
        await pilot.click(KeyBar, offset=(bar.index("log scale"), 0))
        assert "(log)" in title(app)
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


# ------------------------------------------------------------------ how much work it is


async def test_nothing_is_repainted_when_nothing_happened(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(scenes.training_with_alert()) as (app, pilot):
        drawn: list[str] = []
        for widget in app.screen.walk_children():
            monkeypatch.setattr(widget, "refresh", lambda *_, w=widget, **__: drawn.append(str(w)))
        frame = app.frame
        for _ in range(5):
            app.tick()
            await pilot.pause()
        assert app.frame is frame
        assert drawn == []


async def test_a_batch_repaints_the_header_and_the_charts_but_not_the_board(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = scenes.going_well()
    async with opened(desk) as (app, pilot):
        drawn: set[str] = set()
        for widget in app.screen.walk_children():
            name = widget.id or type(widget).__name__
            monkeypatch.setattr(widget, "refresh", lambda *_, n=name, **__: drawn.add(n))
        epoch(desk.runs[RUN], Plan(), 16, until=61)
        desk.runs[RUN].records[-61:-1] = []
        app.tick()
        await pilot.pause()
        assert "header" in drawn
        assert drawn <= {"header", "loss", "cosine"}  # a chart, if one of its cells changed


def long_log() -> MemoryWorkspace:
    plan = Plan(batches=2 * CHUNK, epochs=2)
    script = Script()
    begin(script, plan)
    epoch(script, plan, 1)
    epoch(script, plan, 2)
    return MemoryWorkspace({RUN: script}, jobs=FOUR)


def test_a_long_log_is_read_in_pieces() -> None:
    time = iter(range(10_000))
    live = Live(long_log(), monotonic=lambda: float(next(time)))
    pieces = [live.poll().run]
    while live.frame.catching_up:
        pieces.append(live.poll().run)
    read = [run.records for run in pieces if run is not None]
    assert len(read) >= 3
    assert all(after - before <= CHUNK for before, after in pairwise([0, *read]))
    assert live.frame.run is not None
    assert live.frame.run.loss.last_step == 4 * CHUNK


async def test_a_long_log_is_read_to_its_end_without_waiting_for_the_next_tick(
    make_app: MakeApp,
) -> None:
    app = make_app(long_log())
    time = iter(range(10_000))
    app.live._monotonic = lambda: float(next(time))
    async with app.run_test(size=(80, 24)) as pilot:
        while app.frame.catching_up:
            await pilot.pause()
        assert app.frame.run is not None
        assert app.frame.run.loss.last_step == 4 * CHUNK
