"""What follows from a run that is not ready for production."""

from __future__ import annotations

from typing import Any

import pytest

from lvm.events import GateFailed, JobFinished, QueueFinished, RunFinished
from lvm.runs.aftermath import aftermath, missing_of
from lvm.settings import DataSettings, Job, TrainSettings

from .conftest import Bench
from .scripted import Call, alert

SHORT = "VAL margin −0.021, needs ≥ +0.10: short by 0.121"
FEW = "2 of 5 gates, needs 3"
NOT_READY = {"ready": False, "passed": 2, "missing": [SHORT, FEW]}
READY = {"ready": True, "passed": 4, "missing": []}


def ended(outcome: str = "completed", summary: dict[str, Any] | None = None) -> RunFinished:
    return RunFinished(
        outcome, 5, 10.0, "severe" if outcome == "stopped" else "", summary=summary or {}
    )


def job(**train: Any) -> Job:
    return Job(train=TrainSettings(**train), data=DataSettings(bank="docs.npz"))


# ------------------------------------------------------------------ what a gate failure is


@pytest.mark.parametrize("outcome", ["completed", "early_stopped"])
def test_a_run_whose_best_5cat_is_not_ready_is_a_gate_failure(outcome: str) -> None:
    assert missing_of(ended(outcome, NOT_READY)) == (SHORT, FEW)


def test_a_ready_run_is_none() -> None:
    assert missing_of(ended(summary=READY)) == ()


def test_an_alarm_anywhere_in_the_history_keeps_a_run_from_production() -> None:
    assert missing_of(ended(summary=READY), bias_alerts=2) == (
        "2 backward-bias alerts in the history, needs 0",
    )


def test_the_alerts_of_the_whole_history_replace_those_counted_at_the_best_epoch() -> None:
    said = {**NOT_READY, "missing": [FEW, "1 backward-bias alert in the run's history, needs 0"]}
    assert missing_of(ended(summary=said), bias_alerts=3) == (
        FEW,
        "3 backward-bias alerts in the history, needs 0",
    )


def test_a_run_that_was_stopped_for_severe_bias_is_one_whatever_its_best_5cat_says() -> None:
    assert missing_of(ended("stopped", READY)) == ("severe",)


@pytest.mark.parametrize("outcome", ["stopped", "cancelled"])
def test_a_run_that_people_ended_is_none(outcome: str) -> None:
    assert missing_of(ended(outcome, NOT_READY), by_people=True) == ()


def test_a_run_that_failed_or_that_no_5cat_judged_is_none() -> None:
    assert missing_of(ended("failed", NOT_READY)) == ()
    assert missing_of(ended()) == ()


# ------------------------------------------------------------------ what is done


def test_the_queue_goes_on_by_default_and_says_what_was_missing() -> None:
    then = aftermath(job(), [SHORT, FEW])
    assert (then.then, then.retry, then.note) == ("go_on", None, "")
    assert then.words == f"not ready: {SHORT}, and 1 more"


def test_a_forward_job_that_fails_again_is_not_tried_a_third_time() -> None:
    then = aftermath(job(objective="forward", on_gate_failure="retry_forward"), [FEW])
    assert (then.then, then.retry) == ("go_on", None)


def test_the_retry_is_the_same_job_with_the_forward_objective() -> None:
    asked = job(epochs=7, seed=3, on_gate_failure="retry_forward")
    then = aftermath(asked, [FEW])
    assert then.retry == Job(train=asked.train.changed(objective="forward"), data=asked.data)


# ------------------------------------------------------------------ in the runner


def gate_failures(bench: Bench) -> list[GateFailed]:
    return [event for event in bench.told() if isinstance(event, GateFailed)]


def test_a_gate_failure_is_told_after_its_job_and_the_queue_goes_on(bench: Bench) -> None:
    bench.trainer.summary = lambda call: NOT_READY
    bench.add("gru")
    bench.add("amn")
    end = bench.run()
    assert (end.reason, end.done) == ("empty", 2)
    assert bench.job(1).note == ""
    failed = gate_failures(bench)
    assert [(each.job, each.then, each.missing) for each in failed] == [
        (1, "go_on", [SHORT, FEW]),
        (2, "go_on", [SHORT, FEW]),
    ]
    kinds = [type(event) for event in bench.told()]
    assert kinds[-3:] == [JobFinished, GateFailed, QueueFinished]


def test_a_ready_run_is_followed_by_no_such_word(bench: Bench) -> None:
    bench.trainer.summary = lambda call: READY
    bench.add(on_gate_failure="stop_queue")
    bench.add("amn")
    assert bench.run().reason == "empty"
    assert gate_failures(bench) == []


def test_an_alarm_of_an_early_epoch_counts_although_the_best_epoch_is_ready(bench: Bench) -> None:
    bench.trainer.summary = lambda call: READY
    bench.trainer.before_end = lambda call: [alert("backward_bias-1")]
    bench.add(on_gate_failure="stop_queue")
    bench.run()
    (failed,) = gate_failures(bench)
    assert failed.missing == ["1 backward-bias alert in the history, needs 0"]


def test_a_job_can_stop_the_queue_where_its_run_is_not_ready(bench: Bench) -> None:
    bench.trainer.summary = lambda call: NOT_READY
    bench.add("gru", on_gate_failure="stop_queue")
    bench.add("amn")
    end = bench.run()
    assert end.reason == "stopped"
    assert [row.state for row in bench.store.jobs()] == ["done", "queued"]
    note = f"not ready: {SHORT}, and 1 more; the queue stops here, as this job says"
    assert bench.job(1).note == note
    assert gate_failures(bench)[0].words == note
    assert bench.run().reason == "empty"  # started again, it goes on with the next job
    assert bench.trainer.models == ["gru", "amn"]


def test_a_run_stopped_for_severe_bias_stops_the_queue_too(bench: Bench) -> None:
    bench.trainer.severe = "severe backward bias: VAL margin −0.140"
    bench.add(on_gate_failure="stop_queue")
    bench.add("amn")
    assert bench.run().reason == "stopped"
    assert bench.job(1).state == "stopped"
    assert gate_failures(bench)[0].missing == ["severe backward bias: VAL margin −0.140"]


def test_a_job_that_people_skip_is_no_gate_failure(bench: Bench) -> None:
    bench.trainer.summary = lambda call: NOT_READY
    bench.add(on_gate_failure="stop_queue")
    bench.add("amn")
    bench.at(3, lambda: bench.store.send("skip"))
    assert bench.run().reason == "empty"
    assert [each.job for each in gate_failures(bench)] == [2]


def test_a_job_is_tried_again_next_and_once_with_the_forward_objective(bench: Bench) -> None:
    bench.trainer.summary = lambda call: NOT_READY
    bench.add("gru", on_gate_failure="retry_forward")
    bench.add("amn")
    end = bench.run()
    asked = [(call.settings.model, call.settings.objective) for call in bench.trainer.calls]
    assert asked == [("gru", "mse"), ("gru", "forward"), ("amn", "mse")]
    assert (end.jobs[0].retried_as, end.jobs[1].retried_as) == (3, None)
    retry = bench.job(3)
    assert (retry.parent, retry.state) == (bench.job(1).run, "done")
    assert bench.job(1).note.endswith("; tried again with the forward objective")
    assert [(f.then, f.next_job) for f in gate_failures(bench)] == [
        ("retry_forward", 3),
        ("go_on", 0),
        ("go_on", 0),
    ]


def test_a_run_that_is_resumed_and_fails_again_is_not_tried_twice(bench: Bench) -> None:
    bench.trainer.severe = "severe backward bias"
    bench.add(on_gate_failure="retry_forward")
    bench.run()
    bench.store.retry_job(1)
    bench.run()
    assert [row.id for row in bench.store.jobs()] == [2, 1]
    assert bench.job(1).note == "severe backward bias"
    assert [f.then for f in gate_failures(bench)] == ["retry_forward", "go_on", "go_on"]


def test_lvm_train_goes_on_with_the_retry_of_its_job_and_no_other(bench: Bench) -> None:
    def summary(call: Call) -> dict[str, Any]:
        return READY if call.settings.objective == "forward" else NOT_READY

    bench.trainer.summary = summary
    only = bench.add("gru", on_gate_failure="retry_forward")
    bench.add("amn")
    end = bench.run(only=only)
    assert [job.retried_as for job in end.jobs] == [3, None]
    assert bench.trainer.models == ["gru", "gru"]
    assert bench.job(2).state == "queued"
