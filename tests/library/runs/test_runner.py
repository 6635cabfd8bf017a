"""The runner: a queue worked through, every end told, nothing lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from lvm.errors import DataError, InputError
from lvm.events import (
    DataLoaded,
    Event,
    JobFinished,
    JobStarted,
    QueueFinished,
    RunFinished,
    TaskFinished,
    TaskProgress,
    TaskStarted,
)
from lvm.settings import DataSettings, Job, TrainSettings

from .conftest import Bench
from .scripted import Call, ScriptedCorpus, kinds, without

# ------------------------------------------------------------------ the queue


def test_the_queue_is_trained_in_its_order_and_ends(bench: Bench) -> None:
    bench.store.add_all(Job(data=DataSettings(bank="docs.npz")))
    end = bench.run()
    assert bench.trainer.models == ["transformer", "gru", "lstm", "amn"]
    assert [row.state for row in bench.store.jobs()] == ["done"] * 4
    assert (end.reason, end.done, end.failed) == ("empty", 4, 0)
    assert bench.told()[-1] == QueueFinished(done=4, failed=0)
    assert bench.store.lease() is None


def test_a_run_tells_of_its_data_first_and_of_its_end_last(bench: Bench) -> None:
    bench.add()
    bench.run()
    assert kinds(bench.events()) == ["data_loaded", "run_started", "run_finished"]
    (data, _, finished) = bench.events()
    assert isinstance(data, DataLoaded)
    assert without(data, "quality", "seconds") == {
        "source": "bank docs.npz",
        "samples": {"train": 80, "val": 10, "ood": 10},
        "dim": 16,
        "articles": 12,
        "alignment": {"val": {"shift": 0}},
        "passed": True,
        "overridden": False,
        "notes": ["two articles are short"],
    }
    assert data.quality["kind"] == "forward"
    assert isinstance(finished, RunFinished)
    assert finished.outcome == "completed"


def test_the_workspace_log_tells_of_tasks_and_jobs(bench: Bench) -> None:
    bench.add("gru")
    end = bench.run()
    run = bench.job(1).run
    told = bench.told()
    assert told[0] == JobStarted(1, "gru", run)
    assert told[1] == TaskStarted("data-1", f"opening the data of {run}")
    assert told[2] == TaskFinished("data-1", 0.0, ok=True, note="bank docs.npz")
    assert told[3] == JobFinished(1, "gru", run, "done", "")
    assert told[4:] == [QueueFinished(1, 0)]
    assert (end.jobs[0].state, end.jobs[0].run) == ("done", run)
    assert end.jobs[0].finished == bench.events()[-1]


def test_a_run_folder_is_named_by_model_and_time(bench: Bench) -> None:
    bench.add("gru")
    bench.run()
    assert bench.job(1).run.startswith("gru_5cat_1970")


def test_an_empty_queue_ends_at_once(bench: Bench) -> None:
    assert bench.run().reason == "empty"
    assert bench.told() == [QueueFinished(0, 0)]


def test_one_job_can_be_trained_alone(bench: Bench) -> None:
    bench.add("gru")
    second = bench.add("amn")
    assert bench.run(only=second).done == 1
    assert bench.trainer.models == ["amn"]
    assert bench.job(1).state == "queued"
    with pytest.raises(InputError, match="no job 7"):
        bench.run(only=7)


def test_jobs_added_while_another_trains_are_trained_too(bench: Bench) -> None:
    bench.add()
    bench.at(3, lambda: bench.add("amn"))
    bench.run()
    assert bench.trainer.models == ["transformer", "amn"]


def test_a_waiting_runner_takes_new_jobs_and_tells_each_end_of_the_queue_once(
    bench: Bench,
) -> None:
    stop = threading.Event()
    script = iter([lambda: None, lambda: bench.add("gru"), lambda: None, lambda: bench.add("amn")])
    sleep = bench.clock.sleep

    def wait(seconds: float) -> None:
        sleep(seconds)
        if seconds == 0.2:
            next(script, stop.set)()

    bench.clock.sleep = wait  # type: ignore[method-assign]
    end = bench.run(until_empty=False, should_stop=stop)
    assert (end.reason, end.done) == ("asked", 2)
    assert [event for event in bench.told() if isinstance(event, QueueFinished)] == [
        QueueFinished(1, 0),
        QueueFinished(2, 0),
    ]


def test_who_listens_hears_every_record(bench: Bench) -> None:
    bench.add()
    heard: dict[str, list[Event]] = {}
    bench.run(listen=lambda run, record: heard.setdefault(run, []).append(record.event))
    assert heard[""] == bench.all_told()
    run = [event for event in heard[bench.job(1).run] if event.kind() not in ("batch",)]
    assert kinds(run) == [
        "data_loaded",
        "forecast_made",
        "run_started",
        "epoch_finished",
        "epoch_finished",
        "run_finished",
    ]


def test_a_listener_that_fails_fails_only_after_the_work_is_done(bench: Bench) -> None:
    bench.add()
    bench.add("gru")
    heard: list[Event] = []

    def listen(run: str, record: Any) -> None:
        heard.append(record.event)
        if len(heard) == 5:
            raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        bench.run(listen=listen)
    assert len(heard) == 5
    assert [row.state for row in bench.store.jobs()] == ["done", "done"]
    assert bench.told()[-1] == QueueFinished(2, 0)
    assert bench.store.lease() is None


# ------------------------------------------------------------------ what is recorded
# ------------------------------------------------------------------ failures
# ------------------------------------------------------------------ data that runs the wrong way
# ------------------------------------------------------------------ taking up a run again
# ------------------------------------------------------------------ before the queue


def test_work_before_the_queue_is_told_and_may_fill_the_queue(bench: Bench) -> None:
    def prepare(emit: Any) -> None:
        emit(TaskStarted("encode", "encoding"))
        emit(TaskProgress("encode", 1, 2))
        emit(TaskFinished("encode", 1.0))
        assert bench.store.lease() is not None
        bench.add()

    bench.run(prepare=prepare)
    assert kinds(bench.told())[:4] == [
        "task_started",
        "task_progress",
        "task_finished",
        "job_started",
    ]


@pytest.mark.parametrize("begun", [True, False])
def test_work_before_the_queue_that_fails_is_told_and_raised(bench: Bench, begun: bool) -> None:
    def prepare(emit: Any) -> None:
        if begun:
            emit(TaskStarted("text", "reading"))
            emit(TaskFinished("text", 0.0))
            emit(TaskStarted("encode", "encoding"))
        bench.clock.sleep(2.0)
        raise DataError("no text")

    bench.add()
    with pytest.raises(DataError, match="no text"):
        bench.run(prepare=prepare)
    task = "encode" if begun else "prepare"
    assert bench.told()[-1] == TaskFinished(task, 2.0, ok=False, note="no text")
    assert bench.job(1).state == "queued"
    assert bench.store.lease() is None


def test_an_engine_is_imported_only_when_a_job_needs_it(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from lvm.runs.project import Project; from lvm.runs.runner import Runner\n"
        "print(Runner(Project(Path(sys.argv[1]))).run().reason, 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "empty False\n", done.stderr


def test_a_call_is_what_the_trainer_was_given(bench: Bench) -> None:
    bench.add("lstm", epochs=1, batch_size=64)
    bench.run()
    (call,) = bench.trainer.calls
    assert isinstance(call, Call)
    assert call.settings == TrainSettings(model="lstm", epochs=1, batch_size=64)
    assert call.folder == bench.folder()
    assert call.corpus == ScriptedCorpus()
