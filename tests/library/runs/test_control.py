"""What people say to a running runner, and what it then does."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lvm.errors import Interrupted
from lvm.events import (
    JobFinished,
    Paused,
    QueueFinished,
    Resumed,
    RunFinished,
    TaskFinished,
    TaskStarted,
)

from .conftest import Bench
from .scripted import ScriptedCorpus, kinds


def states(bench: Bench) -> list[str]:
    return [row.state for row in bench.store.jobs()]


def last(bench: Bench, number: int = 1) -> RunFinished:
    found = [event for event in bench.events(number) if isinstance(event, RunFinished)]
    return found[-1]


# ------------------------------------------------------------------ pause, stop, skip, cancel


def test_a_pause_lasts_until_somebody_resumes_and_the_queue_shows_it(bench: Bench) -> None:
    bench.add()
    bench.at(3, lambda: bench.store.send("pause", by="ann@mac:1"))
    seen: list[str] = []
    sleep = bench.clock.sleep

    def wait(seconds: float) -> None:
        sleep(seconds)
        if seconds == 0.1:  # the trainer's poll while paused
            seen.append(bench.job(1).state)
            if len(seen) == 20:
                bench.store.send("resume", by="bob@far:2")

    bench.clock.sleep = wait  # type: ignore[method-assign]
    bench.run()
    paused, resumed = bench.events()[2:4]
    assert paused == Paused(3, by="ann@mac:1")
    assert isinstance(resumed, Resumed)
    assert (resumed.step, resumed.by) == (3, "bob@far:2")
    assert resumed.seconds == pytest.approx(2.0, abs=0.3)
    assert set(seen) == {"paused"}
    assert states(bench) == ["done"]


def test_stop_ends_the_job_after_a_checkpoint_and_the_queue_with_it(bench: Bench) -> None:
    bench.add()
    bench.add("gru")
    bench.at(3, lambda: bench.store.send("stop", by="ann@mac:1"))
    end = bench.run()
    assert last(bench).outcome == "stopped"
    assert last(bench).reason == "stopped by ann@mac:1"
    assert states(bench) == ["stopped", "queued"]
    assert bench.job(1).note == "stopped by ann@mac:1"
    assert end.reason == "stopped"
    assert not any(isinstance(event, QueueFinished) for event in bench.told())
    assert (bench.folder() / "last.pt").read_text() == "2"


def test_a_paused_run_can_be_stopped(bench: Bench) -> None:
    bench.add()
    bench.at(3, lambda: (bench.store.send("pause"), bench.store.send("stop")))
    assert bench.run().reason == "stopped"
    assert kinds(bench.events())[2:] == ["paused", "resumed", "checkpoint_saved", "run_finished"]


def test_skip_goes_on_with_the_next_job(bench: Bench) -> None:
    bench.add()
    bench.add("gru")
    bench.at(3, lambda: bench.store.send("skip", by="ann@mac:1"))
    end = bench.run()
    assert states(bench) == ["stopped", "done"]
    assert bench.job(1).note == "skipped by ann@mac:1"
    assert end.reason == "empty"
    bench.store.retry_job(1)
    bench.run()
    assert bench.trainer.calls[-1].resume is True


def test_cancel_is_an_end_of_its_own_and_can_be_resumed_too(bench: Bench) -> None:
    bench.add()
    bench.add("gru")
    bench.at(3, lambda: bench.store.send("cancel", by="ann@mac:1"))
    bench.run()
    assert states(bench) == ["cancelled", "done"]
    assert (last(bench).outcome, last(bench).reason) == ("cancelled", "cancelled by ann@mac:1")
    bench.store.retry_job(1)
    bench.run()
    assert bench.trainer.calls[-1].resume is True
    assert states(bench) == ["done", "done"]


def test_a_run_that_stops_by_itself_keeps_its_own_reason_and_the_queue_goes_on(
    bench: Bench,
) -> None:
    def severe(*given: Any, **named: Any) -> Any:
        yield RunFinished("stopped", 5, 60.0, reason="severe backward bias at epoch 5")

    bench.add()
    bench.add("gru")
    bench.trainer = severe  # type: ignore[assignment]
    end = bench.run()
    assert states(bench) == ["stopped", "stopped"]
    assert bench.job(1).note == "severe backward bias at epoch 5"
    assert end.reason == "empty"


def test_a_stop_that_comes_after_a_skip_still_stops_the_queue(bench: Bench) -> None:
    bench.add()
    bench.add("gru")
    bench.at(3, lambda: (bench.store.send("stop"), bench.store.send("skip")))
    assert bench.run().reason == "stopped"
    assert states(bench) == ["stopped", "queued"]


def test_a_stop_in_the_last_moment_of_a_job_stops_the_queue(bench: Bench) -> None:
    def ends_at_once(*given: Any, **named: Any) -> Any:
        bench.store.send("stop")
        bench.clock.sleep(1.0)
        yield RunFinished("completed", 1, 1.0)

    bench.add()
    bench.add("gru")
    bench.trainer = ends_at_once  # type: ignore[assignment]
    assert bench.run().reason == "stopped"
    assert states(bench) == ["done", "queued"]


@pytest.mark.parametrize("kind", ["pause", "skip", "cancel"])
def test_a_command_for_another_job_does_nothing(bench: Bench, kind: str) -> None:
    bench.add()
    bench.add("gru")
    bench.at(3, lambda: bench.store.send(kind, job=2))
    bench.run()
    assert states(bench) == ["done", "done"]
    assert "paused" not in kinds(bench.events())


def test_a_command_for_this_job_is_obeyed(bench: Bench) -> None:
    bench.add()
    bench.at(3, lambda: bench.store.send("cancel", job=1))
    bench.run()
    assert states(bench) == ["cancelled"]


@pytest.mark.parametrize("kind", ["pause", "stop", "skip", "cancel"])
def test_what_was_said_to_an_earlier_runner_is_void(bench: Bench, kind: str) -> None:
    bench.add()
    bench.store.send(kind)
    bench.run()
    assert states(bench) == ["done"]


@pytest.mark.parametrize("kind", ["pause", "skip", "cancel"])
def test_what_is_said_between_two_jobs_does_not_hit_the_next(bench: Bench, kind: str) -> None:
    bench.add(epochs=1)
    bench.add("gru", epochs=1)

    def heard(run: str, record: Any) -> None:
        if isinstance(record.event, JobFinished):
            bench.store.send(kind)

    bench.run(listen=heard)
    assert states(bench) == ["done", "done"]


# ------------------------------------------------------------------ should_stop (SIGTERM)


def test_a_runner_told_to_end_leaves_its_job_to_the_next_one(bench: Bench) -> None:
    stop = threading.Event()
    bench.add()
    bench.add("gru")
    bench.at(8, stop.set)
    end = bench.run(should_stop=stop)
    assert end.reason == "asked"
    assert states(bench) == ["queued", "queued"]
    assert last(bench).outcome == "stopped"
    assert "the next one goes on" in last(bench).reason
    assert (bench.folder() / "last.pt").read_text() == "7"
    assert bench.store.lease() is None
    bench.run()
    assert bench.trainer.models == ["transformer", "transformer", "gru"]
    assert bench.trainer.calls[1].resume is True
    assert states(bench) == ["done", "done"]


def test_a_paused_runner_can_be_told_to_end(bench: Bench) -> None:
    stop = threading.Event()
    bench.add()
    bench.at(3, lambda: (bench.store.send("pause"), None)[1])
    sleep = bench.clock.sleep

    def wait(seconds: float) -> None:
        sleep(seconds)
        if seconds == 0.1:
            stop.set()

    bench.clock.sleep = wait  # type: ignore[method-assign]
    assert bench.run(should_stop=stop).reason == "asked"
    assert states(bench) == ["queued"]


@pytest.mark.parametrize(
    ("say", "state", "reason"),
    [
        ("stop", "stopped", "stopped"),
        ("skip", "stopped", "empty"),
        ("cancel", "cancelled", "empty"),
        ("", "queued", "asked"),
    ],
)
def test_a_job_can_be_ended_while_its_data_is_opened(
    bench: Bench, say: str, state: str, reason: str
) -> None:
    stop = threading.Event()

    def open_corpus(data: Any, **others: Any) -> ScriptedCorpus:
        if say:
            bench.store.send(say)
        else:
            stop.set()
        bench.clock.sleep(1.0)
        others["progress"]("importing", 1, 100)
        raise AssertionError("the import goes on")

    bench.open_corpus = open_corpus
    bench.add()
    assert bench.run(should_stop=stop).reason == reason
    assert states(bench) == [state]
    assert kinds(bench.events()) == ["run_finished"]
    assert last(bench).epochs == 0
    ended = [event for event in bench.told() if isinstance(event, TaskFinished)]
    assert [(event.ok, event.note) for event in ended] == [(False, "ended by the user")]


def test_a_pause_said_while_data_is_opened_waits_for_the_training(bench: Bench) -> None:
    def open_corpus(data: Any, **others: Any) -> ScriptedCorpus:
        bench.store.send("pause")
        bench.clock.sleep(1.0)
        others["progress"]("importing", 1, 100)
        bench.store.send("resume")
        return ScriptedCorpus()

    bench.open_corpus = open_corpus
    bench.add()
    bench.run()
    assert kinds(bench.events()) == [
        "data_loaded",
        "run_started",
        "paused",
        "resumed",
        "run_finished",
    ]


@pytest.mark.parametrize("say", ["stop", ""])
def test_work_before_the_queue_can_be_ended(bench: Bench, say: str) -> None:
    stop = threading.Event()

    def prepare(emit: Any) -> None:
        emit(TaskStarted("encode", "encoding"))
        if say:
            bench.store.send(say)
        else:
            stop.set()
        bench.clock.sleep(1.0)
        emit(TaskStarted("more", "more of it"))

    bench.add()
    end = bench.run(prepare=prepare, should_stop=stop)
    assert end.reason == ("stopped" if say else "asked")
    assert bench.told() == [
        TaskStarted("encode", "encoding"),
        TaskFinished("encode", 1.0, ok=False, note="ended by the user"),
    ]
    assert states(bench) == ["queued"]


def test_work_before_the_queue_may_interrupt_itself(bench: Bench) -> None:
    def prepare(emit: Any) -> None:
        raise Interrupted("interrupted")

    with pytest.raises(Interrupted):
        bench.run(prepare=prepare)


# ------------------------------------------------------------------ acknowledging
# ------------------------------------------------------------------ a lease that is lost
# ------------------------------------------------------------------ a store that fails
