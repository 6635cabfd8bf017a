"""The runner: a queue worked through, every end told, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import lvm
from lvm.errors import DataError, DiskError, DivergedError, InputError, RunError
from lvm.events import (
    AlertRaised,
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
from lvm.settings import SPLIT_SEED, DataSettings, Job, Thresholds, TrainSettings

from .conftest import Bench
from .scripted import REVERSED, Call, ScriptedCorpus, kinds, without


def raising(error: BaseException) -> Any:
    def act() -> None:
        raise error

    return act


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


def test_the_record_of_a_run_says_what_was_trained_on_what(bench: Bench) -> None:
    (bench.project.root / "lvm.toml").write_text("[thresholds]\nmargin_val = 0.2\n")
    bench.add("gru", seed=7)
    bench.run()
    record = json.loads((bench.folder() / "run.json").read_text())
    assert record["run"] == bench.job(1).run
    assert record["job"] == bench.job(1).job.to_json()
    assert record["thresholds"]["margin_val"] == 0.2
    assert (record["model"], record["seed"], record["created"]) == ("gru", 7, 1000.0)
    assert record["data"]["fingerprints"] == {"train": "beef"}
    assert record["data"]["fingerprint"] == "f00d"
    assert record["data"]["quality"]["kind"] == "forward"
    assert record["data"]["notes"] == ["two articles are short"]
    assert (record["data"]["passed"], record["data"]["overridden_by"]) == (True, None)
    assert record["versions"]["lvm"] == lvm.__version__
    assert record["versions"]["torch"].startswith("2.")
    assert record["versions"]["python"].startswith("3.")
    assert record["host"]
    assert record["by"] == "ann@mac:ttys001"
    assert (record["parent"], record["resumed"], record["commit"]) == (None, [], None)
    assert bench.trainer.calls[0].thresholds == Thresholds(margin_val=0.2)


def test_the_record_has_the_commit_of_the_project(bench: Bench) -> None:
    git = ["git", "-C", str(bench.project.root), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    bench.add()
    bench.run()
    record = json.loads((bench.folder() / "run.json").read_text())
    assert record["commit"] == head.stdout.strip()


def test_a_fresh_retry_names_the_run_that_it_replaces(bench: Bench) -> None:
    bench.add()
    bench.run()
    old = bench.job(1).run
    bench.store.retry_job(1, fresh=True)
    bench.run()
    assert bench.job(1).run != old
    assert json.loads((bench.folder() / "run.json").read_text())["parent"] == old


def test_the_log_for_people_follows_the_events(bench: Bench) -> None:
    bench.add()
    bench.run()
    text = (bench.folder() / "training.log").read_text()
    assert text.index("📂 Data: bank docs.npz") < text.index("🚀 Training transformer")
    assert text.index("Epoch  2/2") < text.index("✅ TRAINING COMPLETE!")
    assert f"Output directory: artifacts/lvm/models/{bench.job(1).run}/" in text


def test_data_is_opened_from_the_project_and_split_the_same_for_every_seed(bench: Bench) -> None:
    asked: list[dict[str, Any]] = []

    def open_corpus(data: DataSettings, **others: Any) -> ScriptedCorpus:
        asked.append({"data": data, **others})
        return ScriptedCorpus()

    bench.open_corpus = open_corpus
    bench.add(seed=7)
    bench.run()
    assert asked[0]["data"] == DataSettings(bank="docs.npz")
    assert (asked[0]["root"], asked[0]["seed"]) == (bench.project.root, SPLIT_SEED)


def test_opening_data_tells_its_progress_ten_times_a_second(bench: Bench) -> None:
    def open_corpus(data: DataSettings, **others: Any) -> ScriptedCorpus:
        for done in range(100):
            bench.clock.sleep(1 / 32)
            others["progress"]("importing docs.npz", done, 100)
        return ScriptedCorpus()

    bench.open_corpus = open_corpus
    bench.add()
    bench.run()
    told = [event for event in bench.told() if isinstance(event, TaskProgress)]
    assert len(told) == 25  # in 3.125 s, each an eighth of a second after the one before
    assert told[0] == TaskProgress("data-1", 3, 100, "importing docs.npz")


# ------------------------------------------------------------------ failures


@pytest.mark.parametrize(
    ("error", "cause", "title"),
    [
        (DivergedError("the loss is no longer finite", fix="lower it"), "diverged", "DIVERGED"),
        (DiskError("no space", where="last.pt", fix="free some"), "disk_full", "DISK"),
        (RunError("out of memory", fix="a smaller batch"), "failed", "FAILED"),
        (DataError("the data has changed", fix="bring it back"), "failed", "FAILED"),
    ],
)
def test_a_failed_job_is_told_and_does_not_stop_the_queue(
    bench: Bench, error: Any, cause: str, title: str
) -> None:
    bench.add("transformer")
    bench.add("gru")
    bench.at(8, raising(error))
    end = bench.run()
    assert kinds(bench.events()) == ["data_loaded", "run_started", "alert_raised", "run_finished"]
    raised, finished = bench.events()[-2:]
    assert isinstance(raised, AlertRaised)
    assert (raised.cause, raised.level, raised.fix) == (cause, "alarm", error.fix)
    assert raised.message.startswith(f"{title}  ")
    assert error.what in raised.message
    assert isinstance(finished, RunFinished)
    assert (finished.outcome, finished.reason) == ("failed", str(error))
    assert (finished.epochs, finished.best_epoch, finished.best_val_loss) == (1, 1, 1.0)
    assert finished.seconds == 7.0
    assert (bench.job(1).state, bench.job(1).note) == ("failed", str(error))
    assert bench.job(2).state == "done"
    assert (end.done, end.failed) == (1, 1)
    assert bench.told()[-1] == QueueFinished(1, 1)


def test_an_error_that_nobody_foresaw_leaves_its_traceback_in_the_log(bench: Bench) -> None:
    bench.add()
    bench.at(3, raising(ZeroDivisionError("oops")))
    bench.run()
    assert bench.job(1).note == "ZeroDivisionError: oops"
    text = (bench.folder() / "training.log").read_text()
    assert "Traceback (most recent call last)" in text
    assert "scripted.py" in text


def test_alerts_of_two_failures_of_one_run_have_different_names(bench: Bench) -> None:
    bench.add()
    bench.at(7, raising(RunError("one")))
    bench.run()
    bench.store.retry_job(1)
    bench.at(8, raising(RunError("two")))
    bench.run()
    names = [event.alert for event in bench.events() if isinstance(event, AlertRaised)]
    assert len(set(names)) == 2


def test_the_time_of_a_run_that_fails_again_is_summed_up(bench: Bench) -> None:
    bench.add()
    bench.at(7, raising(RunError("one")))
    bench.run()
    bench.store.retry_job(1)
    bench.at(8, raising(RunError("two")))
    bench.run()
    finished = bench.events()[-1]
    assert isinstance(finished, RunFinished)
    assert finished.seconds == 6.0 + 2.0  # steps 1 to 6, then 6 and 7 from last.pt of step 5


def test_data_that_cannot_be_opened_fails_the_job(bench: Bench) -> None:
    def open_corpus(data: DataSettings, **others: Any) -> ScriptedCorpus:
        raise DataError("no such file", where=data.bank, fix="look again")

    bench.open_corpus = open_corpus
    bench.add()
    bench.add("gru")
    bench.run()
    assert kinds(bench.events()) == ["alert_raised", "run_finished"]
    assert TaskFinished("data-1", 0.0, ok=False, note=bench.job(1).note) in bench.told()
    assert bench.job(1).note == "docs.npz: no such file\n  → look again"
    assert [row.state for row in bench.store.jobs()] == ["failed", "failed"]


def test_a_trainer_that_ends_without_a_word_has_failed(bench: Bench) -> None:
    bench.trainer = lambda *given, **named: iter(())  # type: ignore[assignment]
    bench.add()
    bench.run()
    assert bench.job(1).state == "failed"
    assert "without saying how" in bench.job(1).note


def test_a_wrong_lvm_toml_fails_the_job_by_its_line(bench: Bench) -> None:
    (bench.project.root / "lvm.toml").write_text("[thresholds]\nmargin = 3\n")
    bench.add()
    bench.run()
    assert "lvm.toml:2" in bench.job(1).note


def test_an_interrupt_puts_the_job_back_and_is_raised(bench: Bench) -> None:
    bench.add()
    bench.at(8, raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    finished = bench.events()[-1]
    assert isinstance(finished, RunFinished)
    assert finished.outcome == "stopped"
    assert bench.job(1).state == "queued"
    assert bench.store.lease() is None
    bench.run()
    assert [call.resume for call in bench.trainer.calls] == [False, True]
    assert bench.job(1).state == "done"


# ------------------------------------------------------------------ data that runs the wrong way


def test_bad_data_is_refused_and_the_refusal_recorded(bench: Bench) -> None:
    bench.report = REVERSED
    bench.add()
    bench.run()
    data, raised, finished = bench.events()
    assert isinstance(data, DataLoaded)
    assert (data.passed, data.overridden) == (False, False)
    assert isinstance(raised, AlertRaised)
    assert (raised.cause, raised.level) == ("data_quality", "alarm")
    assert "reversed" in raised.message
    assert raised.fix.startswith("make them again; ")
    assert "--accept-bad-data" in raised.fix
    assert isinstance(finished, RunFinished)
    assert (finished.outcome, finished.epochs) == ("failed", 0)
    assert bench.trainer.calls == []
    record = json.loads((bench.folder() / "run.json").read_text())
    assert (record["data"]["passed"], record["data"]["overridden_by"]) == (False, None)
    assert record["data"]["quality"]["kind"] == "reversed"


def test_bad_data_is_trained_on_if_the_settings_say_so_and_that_is_recorded(bench: Bench) -> None:
    bench.report = REVERSED
    bench.add(accept_bad_data=True)
    bench.run()
    data = bench.events()[0]
    assert isinstance(data, DataLoaded)
    assert (data.passed, data.overridden) == (False, True)
    assert bench.job(1).state == "done"
    record = json.loads((bench.folder() / "run.json").read_text())
    assert record["data"]["passed"] is False
    assert record["data"]["overridden_by"] == "ann@mac:ttys001"


def test_good_data_is_not_called_overridden(bench: Bench) -> None:
    bench.add(accept_bad_data=True)
    bench.run()
    data = bench.events()[0]
    assert isinstance(data, DataLoaded)
    assert (data.passed, data.overridden) == (True, False)


# ------------------------------------------------------------------ taking up a run again


def test_a_retried_job_goes_on_in_its_folder_from_last_pt(bench: Bench) -> None:
    bench.add(epochs=3)
    bench.at(8, raising(RunError("a fault")))
    bench.run()
    run = bench.job(1).run
    bench.store.retry_job(1)
    bench.run()
    assert bench.job(1).run == run
    assert [call.resume for call in bench.trainer.calls] == [False, True]
    record = json.loads((bench.folder() / "run.json").read_text())
    assert record["created"] == 1000.0
    assert len(record["resumed"]) == 1
    assert record["resumed"][0]["time"] > 1000.0
    assert record["resumed"][0]["versions"]["lvm"] == lvm.__version__
    assert kinds(bench.events())[-3:] == ["data_loaded", "run_started", "run_finished"]


def test_a_run_that_has_no_last_pt_yet_begins_anew_in_its_folder(bench: Bench) -> None:
    bench.add()
    bench.at(3, raising(RunError("too early")))
    bench.run()
    run = bench.job(1).run
    bench.store.retry_job(1)
    bench.run()
    assert bench.job(1).run == run
    assert [call.resume for call in bench.trainer.calls] == [False, False]


def test_a_run_whose_folder_is_gone_gets_a_new_one(bench: Bench) -> None:
    bench.add()
    number = bench.store.add_job(
        Job(train=TrainSettings(epochs=1), data=DataSettings(bank="b")), run="gru_5cat_gone"
    )
    bench.run()
    assert bench.job(number).state == "done"
    assert bench.job(number).run != "gru_5cat_gone"


def test_a_finished_run_can_be_given_more_epochs(bench: Bench) -> None:
    bench.add(epochs=2)
    bench.run()
    longer = Job(train=TrainSettings(epochs=4), data=DataSettings(bank="docs.npz"))
    number = bench.store.add_job(longer, run=bench.job(1).run)
    bench.run(only=number)
    assert bench.trainer.calls[-1].resume is True
    finished = bench.events(number)[-1]
    assert isinstance(finished, RunFinished)
    assert finished.epochs == 4


def test_what_a_dead_runner_left_running_is_resumed_first(bench: Bench) -> None:
    bench.add("gru")
    bench.add("amn")
    row = bench.store.take_next()
    assert row is not None
    bench.store.move_job(2, "top")
    folder = bench.project.models / "gru_5cat_19700101_000000"
    folder.mkdir(parents=True)
    (folder / "last.pt").write_text("5")
    bench.store.assign_run(1, folder.name)
    bench.run()
    assert bench.trainer.models == ["gru", "amn"]
    assert bench.trainer.calls[0].resume is True


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
