"""Jobs that fail: told in the log and the queue, and the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from lvm.errors import DataError, DiskError, DivergedError, RunError
from lvm.events import (
    AlertRaised,
    QueueFinished,
    RunFinished,
    TaskFinished,
)
from lvm.settings import DataSettings

from .conftest import Bench
from .scripted import ScriptedCorpus, kinds, raising


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
    assert bench.job(1).note == "unexpected error: oops (ZeroDivisionError)"
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
