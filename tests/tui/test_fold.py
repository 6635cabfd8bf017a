"""From events to views, without a screen."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import pytest

from lvm import events as e
from lvm.records import Record
from lvm_tui.state.fold import LOG_LINES, fold, fold_all, fold_workspace
from lvm_tui.state.views import RunView, WorkspaceView

from .scripted import START, Plan, Script, begin, end, epoch, fivecat, loaded, preparation, training

PLAN = Plan(epochs=10, batches=10)


def run_of(script: Script) -> RunView:
    return fold_all(RunView(), script.records)


def workspace_of(script: Script) -> WorkspaceView:
    return reduce(fold_workspace, script.records, WorkspaceView())


@pytest.fixture
def script() -> Script:
    script = Script()
    begin(script, PLAN)
    loaded(script, PLAN)
    return script


def test_a_run_that_has_begun_waits_for_its_first_batch(script: Script) -> None:
    view = run_of(script)
    assert (view.run, view.model, view.device) == (PLAN.run, "transformer", "cpu")
    assert (view.epoch, view.epochs, view.batch, view.batches) == (1, 10, 0, 10)
    assert view.data is not None
    assert view.data.passed
    assert view.seconds_left is None


def test_folding_one_by_one_and_in_bulk_give_the_same_view() -> None:
    script = training()
    bulk = fold_all(RunView(), script.records)
    single = reduce(fold, script.records, RunView())
    assert replace(single, loss=bulk.loss, cosine=bulk.cosine, pace=bulk.pace) == bulk
    assert single.pace.seconds_per_batch == pytest.approx(bulk.pace.seconds_per_batch)
    assert len(single.loss.buckets) == len(bulk.loss.buckets)


def test_a_batch_moves_the_progress(script: Script) -> None:
    epoch(script, PLAN, 1, until=4)
    view = run_of(script)
    assert (view.phase, view.epoch, view.batch, view.step) == ("training", 1, 4, 4)
    assert view.loss.points == 4
    assert view.share == pytest.approx(0.04)


def test_after_the_last_batch_of_an_epoch_it_validates(script: Script) -> None:
    epoch(script, PLAN, 1, until=PLAN.batches)
    assert run_of(script).phase == "validating"


def test_time_left_is_batches_times_their_pace_before_an_epoch_is_done(script: Script) -> None:
    epoch(script, PLAN, 1, until=5)
    view = run_of(script)
    assert view.seconds_left == pytest.approx(95 * PLAN.batch_seconds)


def test_time_left_counts_whole_epochs_and_batteries_once_they_are_known(script: Script) -> None:
    for number in range(1, 6):
        epoch(script, PLAN, number)
    fivecat(script, PLAN, 5, 0.1)
    view = run_of(script)
    an_epoch = PLAN.batches * PLAN.batch_seconds + 0.5
    assert view.seconds_left == pytest.approx(5 * an_epoch + 1 * 4.2)


def test_a_pause_does_not_slow_the_pace(script: Script) -> None:
    epoch(script, PLAN, 1, until=5)
    before = run_of(script).pace.seconds_per_batch
    script.add(e.Paused(step=5, by="ada"), 0.1)
    assert run_of(script).phase == "paused"
    script.add(e.Resumed(step=5, by="ada", seconds=3600.0), 3600.0)
    step = script.records[-3].event
    assert isinstance(step, e.Batch)
    script.add(replace(step, step=6, batch=6), 0.1)
    view = run_of(script)
    assert view.phase == "training"
    assert view.pace.seconds_per_batch == before


def test_a_loss_that_was_not_finite_leaves_a_gap(script: Script) -> None:
    epoch(script, PLAN, 1, until=2)
    batch = script.records[-1].event
    assert isinstance(batch, e.Batch)
    script.add(replace(batch, step=3, batch=3, loss=None))  # type: ignore[arg-type]
    view = run_of(script)
    assert view.loss.points == 2
    assert view.cosine.points == 3
    assert view.step == 3


def test_a_resumed_run_forgets_what_was_lost() -> None:
    script = Script()
    begin(script, PLAN)
    for number in range(1, 6):
        epoch(script, PLAN, number)
    fivecat(script, PLAN, 5, 0.1)
    epoch(script, PLAN, 6, until=3)
    begin(script, PLAN, resumed_at=40)
    view = run_of(script)
    assert view.loss.last_step == 40
    assert [row.epoch for row in view.history] == [1, 2, 3, 4]
    assert view.fivecats == ()
    assert (view.epoch, view.batch, view.step) == (5, 0, 40)


def test_a_run_resumed_within_an_epoch_goes_on_from_that_batch() -> None:
    script = Script()
    begin(script, PLAN)
    epoch(script, PLAN, 1)
    epoch(script, PLAN, 2, until=6)
    begin(script, PLAN, resumed_at=14)
    view = run_of(script)
    assert (view.epoch, view.batch) == (2, 4)
    assert view.loss.last_step == 14


def test_an_epoch_that_is_written_again_is_counted_once(script: Script) -> None:
    epoch(script, PLAN, 1)
    epoch(script, PLAN, 1)
    view = run_of(script)
    assert [row.epoch for row in view.history] == [1]
    assert view.loss.points == 10


def test_5cat_shows_its_progress_and_then_its_result(script: Script) -> None:
    epoch(script, PLAN, 1)
    fivecat(script, PLAN, 1, 0.1, until=30)
    view = run_of(script)
    assert view.phase == "testing"
    assert view.testing is not None
    assert (view.testing.split, view.testing.done, view.testing.total) == ("VAL", 7200, 24_000)
    fivecat(script, PLAN, 1, 0.1)
    view = run_of(script)
    assert view.testing is None
    assert view.fivecat is not None
    assert view.fivecat.result["VAL"]["margin"] == 0.1


def test_a_5cat_that_fails_no_longer_runs(script: Script) -> None:
    epoch(script, PLAN, 1)
    fivecat(script, PLAN, 1, 0.1, until=30)
    script.add(e.AlertRaised("fivecat_failed-1", "fivecat_failed", "alarm", "5CAT FAILED  boom"))
    view = run_of(script)
    assert view.testing is None
    assert view.phase == "training"


@pytest.mark.parametrize(
    ("done", "tested", "expected"),
    [(0, [], 4), (4, [4], 8), (8, [4, 8], 10), (10, [4, 8, 10], None)],
)
def test_the_next_5cat_is_known(done: int, tested: list[int], expected: int | None) -> None:
    plan = replace(PLAN, every=4)
    script = Script()
    begin(script, plan)
    for number in range(1, done + 1):
        epoch(script, plan, number)
        if number in tested:
            fivecat(script, plan, number, 0.1)
    assert run_of(script).next_fivecat == expected


def test_an_alert_is_open_until_it_is_acknowledged(script: Script) -> None:
    fivecat(script, PLAN, 5, -0.084)
    view = run_of(script)
    assert [alert.id for alert in view.alerts] == ["backward_bias-5-VAL", "backward_bias-5-OOD"]
    assert all(alert.flashing for alert in view.alerts)
    script.add(e.AlertAcknowledged("backward_bias-5-VAL", "ada"))
    first, second = run_of(script).alerts
    assert (first.open, first.acknowledged_by) == (False, "ada")
    assert second.open


def test_an_alert_that_every_test_repeats_is_one_and_says_how_often(script: Script) -> None:
    for number in (5, 10, 15):
        fivecat(script, PLAN, number, -0.084)
    val, ood = run_of(script).alerts
    assert (val.id, val.since, val.epoch, val.times) == ("backward_bias-5-VAL", 5, 15, 3)
    assert val.epochs == "epochs 5–15, 3 times"
    assert ood.split == "OOD"
    assert run_of(script).bias_alerts == 6
    script.add(e.AlertAcknowledged("backward_bias-10-VAL", "ada"))
    fivecat(script, PLAN, 20, -0.084)
    assert [(alert.since, alert.open) for alert in run_of(script).alerts] == [
        (5, False),
        (5, True),
        (20, True),
    ]


def test_an_alert_that_grows_worse_is_another_one(script: Script) -> None:
    fivecat(script, PLAN, 5, -0.084)
    fivecat(script, PLAN, 10, -0.2)
    assert [alert.level for alert in run_of(script).alerts] == [
        "alarm",
        "alarm",
        "severe",
        "severe",
    ]


def test_acknowledged_alerts_still_count_against_production(script: Script) -> None:
    fivecat(script, PLAN, 5, -0.084)
    script.add(e.AlertAcknowledged("backward_bias-5-VAL", "ada"))
    assert run_of(script).bias_alerts == 2


def test_a_caution_flashes_but_does_not_count_against_production(script: Script) -> None:
    fivecat(script, PLAN, 5, -0.03)
    view = run_of(script)
    assert [alert.level for alert in view.alerts] == ["caution", "caution"]
    assert all(alert.flashing for alert in view.alerts)
    assert view.bias_alerts == 0


def test_a_notice_is_latched_without_flashing(script: Script) -> None:
    script.add(e.AlertRaised("slow_epoch-1", "slow_epoch", "notice", "slow epoch 1"))
    (alert,) = run_of(script).alerts
    assert alert.open
    assert not alert.flashing


def test_the_time_left_has_what_a_running_battery_still_takes(script: Script) -> None:
    for number in range(1, 6):
        epoch(script, PLAN, number)
    an_epoch = PLAN.batches * PLAN.batch_seconds + 0.5
    fivecat(script, PLAN, 5, 0.1, until=0)
    assert run_of(script).seconds_left is None, "nothing is known of a first battery"
    script.add(e.FivecatProgress(5, "VAL", "offset", 6_000, 24_000), 2.8)
    # three seconds for a quarter: nine more, and twelve for the battery after the last epoch
    assert run_of(script).seconds_left == pytest.approx(5 * an_epoch + 9 + 12)
    fivecat(script, PLAN, 5, 0.1)
    for number in range(6, 11):
        epoch(script, PLAN, number)
    fivecat(script, PLAN, 10, 0.1, until=50)
    assert run_of(script).seconds_left == pytest.approx(4.2 / 2), "measured by the one before"


def test_a_slow_epoch_is_one_line_of_the_log(script: Script) -> None:
    before = len(run_of(script).log)
    script.add(e.SlowEpoch(5, 30.0, 10.0, "other load: the machine's load is 9.0 on 2 cores"))
    script.add(e.AlertRaised("slow_epoch-5", "slow_epoch", "notice", "slow epoch 5"))
    lines = run_of(script).log[before:]
    assert [line.text for line in lines] == [
        "epoch 5 took 30 s, usually 10 s: other load: the machine's load is 9.0 on 2 cores"
    ]


def test_an_alert_that_is_raised_again_after_a_resume_is_open_again(script: Script) -> None:
    fivecat(script, PLAN, 5, -0.084)
    script.add(e.AlertAcknowledged("backward_bias-5-VAL", "ada"))
    begin(script, PLAN, resumed_at=40)
    fivecat(script, PLAN, 5, -0.084)
    assert [alert.open for alert in run_of(script).alerts] == [True, True]


def test_a_finished_run_says_how_it_ended(script: Script) -> None:
    epoch(script, PLAN, 1)
    end(script, PLAN, "stopped", "severe backward bias")
    view = run_of(script)
    assert view.phase == "finished"
    assert view.outcome is not None
    assert (view.outcome.outcome, view.outcome.reason) == ("stopped", "severe backward bias")
    assert view.seconds_left is None


def test_a_finished_run_that_is_resumed_trains_again(script: Script) -> None:
    epoch(script, PLAN, 1)
    end(script, PLAN, "stopped")
    begin(script, PLAN, resumed_at=10)
    view = run_of(script)
    assert (view.phase, view.outcome) == ("training", None)


def test_the_log_tail_is_bounded_and_has_no_progress_in_it(script: Script) -> None:
    epoch(script, PLAN, 1, until=10)
    assert not any("batch" in line.text for line in run_of(script).log)
    for _ in range(LOG_LINES + 50):
        script.add(e.CheckpointSaved(1, 10, "checkpoint_epoch1.pt", 1_000_000))
    view = run_of(script)
    assert len(view.log) == LOG_LINES
    assert view.log[-1].text == "saved checkpoint_epoch1.pt (1.0 MB)"


def test_checkpoints_of_every_epoch_are_not_in_the_log_tail(script: Script) -> None:
    before = run_of(script).log
    script.add(e.CheckpointSaved(1, 10, "last.pt", 1_000_000))
    script.add(e.CheckpointSaved(1, 10, "best_model.pt", 1_000_000))
    assert run_of(script).log == before


def test_folding_nothing_gives_the_same_object() -> None:
    view = run_of(training())
    assert fold_all(view, []) is view


def test_preparation_is_a_list_of_tasks_with_their_progress() -> None:
    script = Script()
    preparation(script)
    script.records = script.records[:6]
    text, encode = workspace_of(script).tasks
    assert (text.state, text.note) == ("done", "2,310 articles, 402,118 words")
    assert (encode.state, encode.done, encode.total, encode.note) == (
        "running",
        1600,
        8000,
        "fitting",
    )


def test_a_failed_task_keeps_its_error() -> None:
    script = Script()
    script.add(e.TaskStarted("encode", "encoding"))
    script.add(e.TaskFinished("encode", 1.0, ok=False, note="no space left"))
    (task,) = workspace_of(script).tasks
    assert (task.state, task.note) == ("failed", "no space left")


def test_the_queue_is_finished_until_something_begins_again() -> None:
    script = Script()
    script.add(e.JobStarted(1, "gru", "gru_5cat_20251030_220000"))
    assert not workspace_of(script).queue_finished
    script.add(e.QueueFinished(1, 0))
    assert workspace_of(script).queue_finished
    script.add(e.JobStarted(2, "lstm", "lstm_5cat_20251030_223000"))
    assert not workspace_of(script).queue_finished


def test_a_new_preparation_after_the_queue_replaces_the_old_one() -> None:
    script = Script()
    preparation(script)
    script.add(e.QueueFinished(1, 0))
    script.add(e.TaskStarted("import", "importing"))
    assert [task.id for task in workspace_of(script).tasks] == ["import"]


def test_an_event_that_concerns_no_view_only_counts() -> None:
    view = fold(RunView(run="r"), Record(0, START, e.TaskStarted("x", "y")))
    assert view.records == 1
    assert view.phase == "loading"
