"""Run folders and their list."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from lvm.errors import DiskError, InputError, RunError
from lvm.events import AlertAcknowledged, Batch, DataLoaded, Event, RunFinished
from lvm.runs.eventlog import EventWriter
from lvm.runs.folder import RunFolder, RunSummary, best_entries, list_runs
from lvm.runs.project import Project
from lvm.settings import DataSettings, Job, TrainSettings

from .conftest import Bench, FakeClock

NIGHT = time.mktime((2025, 10, 30, 22, 0, 0, 0, 0, -1))
BATCH = Batch(1, 1, 1, 1, 0.5, 0.5, 5e-4, 1.0)
FINISHED = RunFinished("completed", 20, 60.0)
BATTERY = {"passed": 3, "ready": True}
HISTORY: list[dict[str, Any]] = [
    {"epoch": 5, "val_loss": 0.3, "val_cosine": 0.5, "cat_score": 0.2, "val_margin": 0.1}
    | {"ood_margin": 0.09, "5cat": BATTERY},
    {"epoch": 6, "val_loss": 0.2, "val_cosine": 0.6},
    {"epoch": 7, "val_loss": 0.2, "val_cosine": 0.6},
    {"epoch": 10, "val_loss": 0.4, "val_cosine": 0.4, "cat_score": -0.1, "val_margin": -0.2}
    | {"ood_margin": -0.1, "5cat": {"passed": 1, "ready": False}},
]


def a_run(models: Path, name: str, *events: Event, **files: Any) -> RunFolder:
    folder = RunFolder(models / name)
    folder.path.mkdir(parents=True)
    if events:
        with EventWriter(folder.events, FakeClock()) as log:
            for event in events:
                log.append(event)
    for file, content in files.items():
        (folder.path / f"{file}.json").write_text(json.dumps(content))
    return folder


def only(models: Path, **given: Any) -> RunSummary:
    (found,) = list_runs(models, **given)
    return found


# ------------------------------------------------------------------ folders


def test_a_run_folder_is_named_as_the_guide_says_and_never_reused(tmp_path: Path) -> None:
    models = tmp_path / "artifacts" / "lvm" / "models"
    made = [RunFolder.create(models, "transformer", NIGHT).name for _ in range(3)]
    assert made == [
        "transformer_5cat_20251030_220000",
        "transformer_5cat_20251030_220000_2",
        "transformer_5cat_20251030_220000_3",
    ]


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in its place")
    with pytest.raises(DiskError, match="cannot make a run folder"):
        RunFolder.create(tmp_path / "models", "gru", NIGHT)


def test_a_run_is_found_by_its_name_its_path_or_its_beginning(tmp_path: Path) -> None:
    a_run(tmp_path, "gru_5cat_20251030_220000", BATCH)
    a_run(tmp_path, "gru_5cat_20251030_220000_2", BATCH)
    a_run(tmp_path, "amn_5cat_20251030_220000", BATCH)
    for word in ("amn", "amn_5cat_20251030_220000", f"{tmp_path}/amn_5cat_20251030_220000/"):
        assert RunFolder.find(tmp_path, word).name == "amn_5cat_20251030_220000"
    assert RunFolder.find(tmp_path, "gru_5cat_20251030_220000").name == "gru_5cat_20251030_220000"
    with pytest.raises(InputError, match="several runs begin with 'gru'") as caught:
        RunFolder.find(tmp_path, "gru")
    assert "gru_5cat_20251030_220000_2" in caught.value.fix
    with pytest.raises(InputError, match="there is no run 'anm_5cat'") as caught:
        RunFolder.find(tmp_path, "anm_5cat")
    assert caught.value.fix == "did you mean amn_5cat_20251030_220000?"
    with pytest.raises(InputError, match="there is no run ''"):
        RunFolder.find(tmp_path, "")


def test_a_run_knows_what_it_was_asked_to_do(tmp_path: Path) -> None:
    job = Job(train=TrainSettings(epochs=3), data=DataSettings(bank="b.npz"))
    assert a_run(tmp_path, "r", run={"job": job.to_json()}).job() == job
    with pytest.raises(InputError, match="settings are not known"):
        a_run(tmp_path, "s", BATCH).job()


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = a_run(tmp_path, "r", BATCH)
    for name, read in (("run.json", folder.record), ("training_history.json", folder.history)):
        assert not read()
        (folder.path / name).write_text("{half")
        with pytest.raises(RunError, match="cannot be read") as caught:
            read()
        assert caught.value.where.endswith(name)
        (folder.path / name).write_text("7")
        with pytest.raises(RunError, match="not "):
            read()


def test_the_best_entries_are_the_first_of_their_kind() -> None:
    best, tested = best_entries(HISTORY)
    assert (best, tested) == (HISTORY[1], HISTORY[0])
    assert best_entries([]) == (None, None)
    assert best_entries([{"epoch": 1, "val_loss": None}]) == (None, None)


# ------------------------------------------------------------------ the list


def test_a_finished_run_is_listed_with_its_numbers(tmp_path: Path) -> None:
    job = Job(train=TrainSettings(model="gru")).to_json()
    record = {"model": "gru", "created": 1234.5, "job": job}
    folder = a_run(tmp_path, "gru_5cat_x", BATCH, FINISHED, run=record, training_history=HISTORY)
    assert only(tmp_path) == RunSummary(
        name="gru_5cat_x",
        model="gru",
        state="completed",
        started=1234.5,
        epochs=4,
        epochs_asked=20,
        best_epoch=6,
        best_val_loss=0.2,
        best_val_cosine=0.6,
        best_5cat_epoch=5,
        val_margin=0.1,
        ood_margin=0.09,
        score=0.2,
        gates=3,
        ready=True,
        reason="",
        path=folder.path,
    )


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "interrupted"),
        ([BATCH], "interrupted"),
        ([BATCH, FINISHED], "completed"),
        ([RunFinished("failed", 1, 1.0, reason="oops")], "failed"),
        ([RunFinished("stopped", 1, 1.0)], "stopped"),
        ([RunFinished("cancelled", 1, 1.0)], "cancelled"),
        ([RunFinished("early_stopped", 1, 1.0)], "early_stopped"),
        ([RunFinished("exploded", 1, 1.0)], "failed"),
        ([FINISHED, AlertAcknowledged("a", "ann"), AlertAcknowledged("b", "ann")], "completed"),
        ([FINISHED, DataLoaded("", {}, 1, 1, {})], "interrupted"),
        ([FINISHED, BATCH], "interrupted"),
    ],
)
def test_the_state_of_a_run_is_what_its_log_ends_with(
    tmp_path: Path, events: list[Event], state: str
) -> None:
    folder = a_run(tmp_path, "r", *events)
    if not events:
        folder.events.touch()
    assert only(tmp_path).state == state


def test_a_torn_last_line_does_not_hide_how_a_run_ended(tmp_path: Path) -> None:
    folder = a_run(tmp_path, "r", RunFinished("failed", 1, 1.0, reason="oops"))
    with folder.events.open("ab") as file:
        file.write(b'{"seq":1,"ti')
    assert (only(tmp_path).state, only(tmp_path).reason) == ("failed", "oops")


def test_a_run_in_hand_is_running_whatever_its_log_says(tmp_path: Path) -> None:
    a_run(tmp_path, "r", FINISHED)
    assert only(tmp_path, active={"r": "running"}).state == "running"
    assert only(tmp_path, active={"r": "paused"}).state == "paused"
    assert only(tmp_path, active={"s": "running"}).state == "completed"


def test_a_run_of_the_old_scripts_is_listed_too(tmp_path: Path) -> None:
    a_run(tmp_path, "transformer_5cat_20251030_220000", training_history=HISTORY)
    found = only(tmp_path)
    assert (found.model, found.state, found.started) == ("transformer", "unknown", NIGHT)
    assert (found.val_margin, found.gates, found.epochs_asked) == (0.1, 3, None)


def test_what_is_no_run_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.txt").touch()
    a_run(tmp_path, "r", FINISHED)
    (tmp_path / "link").symlink_to("r")
    assert only(tmp_path).name == "r"
    assert list_runs(tmp_path / "nowhere") == []


def test_a_run_with_broken_files_is_listed_and_says_so(tmp_path: Path) -> None:
    folder = a_run(tmp_path, "r", FINISHED)
    (folder.path / "run.json").write_text("{half")
    found = only(tmp_path)
    assert found.state == "completed"
    assert "run.json: cannot be read" in found.reason


@pytest.mark.parametrize("job", [None, 7, {"train": 7}, {"train": {}}])
def test_a_record_of_another_form_is_no_reason_to_fail(tmp_path: Path, job: Any) -> None:
    a_run(tmp_path, "r_5cat_20251399_220000", run={"job": job}, training_history=[{"5cat": 7}])
    assert only(tmp_path).epochs_asked is None
    assert only(tmp_path).started is None


def test_the_latest_run_comes_first(tmp_path: Path) -> None:
    for name, created in (("a", 2.0), ("b", 3.0), ("c", 1.0)):
        a_run(tmp_path, name, run={"created": created})
    assert [run.name for run in list_runs(tmp_path)] == ["b", "a", "c"]


def test_looking_at_the_runs_of_an_unused_project_makes_nothing(tmp_path: Path) -> None:
    assert Project(tmp_path).runs() == []
    assert list(tmp_path.iterdir()) == []


def test_a_project_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("in its place")
    with pytest.raises(DiskError, match="cannot be made"):
        Project(tmp_path).store()


def test_a_training_run_is_listed_as_running_and_as_paused(bench: Bench) -> None:
    states: list[str] = []

    def look() -> None:
        states.append(bench.project.runs()[0].state)

    bench.add()
    bench.at(2, look)
    bench.at(3, lambda: bench.store.send("pause"))
    sleep = bench.clock.sleep

    def wait(seconds: float) -> None:
        sleep(seconds)
        if seconds == 0.1:
            look()
            bench.store.send("resume")

    bench.clock.sleep = wait  # type: ignore[method-assign]
    bench.run()
    look()
    assert (states[0], states[1], states[-1]) == ("running", "paused", "completed")
