"""Runs that are taken up again: by a retry, by more epochs, after a crash."""

from __future__ import annotations

import json

import lvm
from lvm.errors import RunError
from lvm.events import (
    RunFinished,
)
from lvm.settings import DataSettings, Job, TrainSettings

from .conftest import Bench
from .scripted import kinds, raising


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
