"""kill -9 at each step of writing checkpoints, history, record and events; then go on."""

from __future__ import annotations

import json
import multiprocessing
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from lvm.data.sources import Corpus
from lvm.events import EpochFinished, FivecatFinished, RunFinished
from lvm.files import TEMPORARY_SUFFIX
from lvm.models.checkpoint import load_checkpoint
from lvm.runs.eventlog import read_events
from lvm.runs.project import Project

from .killing import run

SAMPLED = 6
"""Kills of the everyday suite, spread evenly; `-m heavy` stops at every step."""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["lvm.training.trainer", "lvm.data.sources", "lvm.quality.direction", "lvm.runs.runner"]
)


def work(root: Path, bank: Path, kill_at: int = 0) -> int | None:
    root.mkdir(exist_ok=True)
    process = PROCESSES.Process(target=run, args=(str(root), str(bank), kill_at))
    process.start()
    process.join()
    return process.exitcode


def weights(file: Path) -> Any:
    return torch.load(file, weights_only=True)["model_state_dict"]


def found_by_epoch(folder: Path) -> dict[tuple[str, int], Any]:
    """What the log says of each epoch at last, but for times."""
    told: dict[tuple[str, int], Any] = {}
    for record in read_events(folder / "events.jsonl"):
        match record.event:
            case EpochFinished() as event:
                numbers = (event.train_loss, event.train_cosine, event.val_loss, event.val_cosine)
                told["epoch", event.epoch] = (*numbers, event.learning_rate, event.step, event.best)
            case FivecatFinished() as event:
                lasting = {k: v for k, v in event.result.items() if k != "seconds"}
                told["5cat", event.epoch] = (lasting, event.score, event.best)
            case RunFinished() as event:
                told["end", event.epochs] = (event.outcome, event.best_epoch, event.best_5cat_epoch)
    return told


def assert_nothing_is_half_written(root: Path) -> None:
    for path in root.rglob("*.pt"):
        if path.name == "last.pt":
            torch.load(path, weights_only=True)
        else:
            load_checkpoint(path)
    for path in root.rglob("*.json"):
        json.loads(path.read_text())
    for path in root.rglob("events.jsonl"):
        seqs = [record.seq for record in read_events(path)]
        assert seqs == list(range(len(seqs)))


def assert_same_run(root: Path, whole: Path) -> None:
    (ours,), (theirs,) = (Project(each).runs() for each in (root, whole))
    assert ours.state == theirs.state == "completed"
    for name in ("last.pt", "best_model.pt", "best_5cat_model.pt", "checkpoint_epoch2.pt"):
        one, other = weights(ours.path / name), weights(theirs.path / name)
        assert all(torch.equal(one[key], other[key]) for key in other), name
    name = "training_history.json"
    assert (ours.path / name).read_bytes() == (theirs.path / name).read_bytes()
    assert found_by_epoch(ours.path) == found_by_epoch(theirs.path)
    assert not list(root.rglob(f".*{TEMPORARY_SUFFIX}"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, bank_path: Path, corpus: Corpus) -> Path:
    """A run that nobody disturbed; `corpus` has imported the bank."""
    root = tmp_path_factory.mktemp("whole")
    assert work(root, bank_path) == 0
    return root


def steps_of(root: Path) -> list[str]:
    found: list[str] = json.loads((root / "steps.json").read_text())
    return found


def kill_and_go_on(at: int, root: Path, whole: Path, bank: Path) -> None:
    assert work(root, bank, kill_at=at) == -signal.SIGKILL
    assert_nothing_is_half_written(root)
    assert work(root, bank) == 0
    assert_nothing_is_half_written(root)
    assert_same_run(root, whole)


def test_the_steps_are_those_of_every_file_of_a_run(whole: Path) -> None:
    steps = steps_of(whole)
    files = (".last.pt", ".best_model.pt", ".best_5cat_model.pt", ".checkpoint_epoch1.pt")
    for file in (*files, ".training_history.json", ".run.json"):
        for what in ("open", "write", "write the rest of", "fsync"):
            assert f"{what} {file}" in steps
        assert f"rename {file[1:]}" in steps
    for what in ("open", "write", "write the rest of", "fsync"):
        assert f"{what} events.jsonl" in steps
    assert "fsync run folder" in steps


@pytest.mark.parametrize("part", range(SAMPLED))
def test_a_run_killed_at_a_step_ends_in_the_bits_of_an_undisturbed_one(
    part: int, whole: Path, bank_path: Path, tmp_path: Path
) -> None:
    count = len(steps_of(whole))
    kill_and_go_on(1 + part * count // SAMPLED, tmp_path / "run", whole, bank_path)


@pytest.mark.heavy
@pytest.mark.timeout(3600)
def test_a_run_killed_at_any_step_ends_in_the_bits_of_an_undisturbed_one(
    whole: Path, bank_path: Path, tmp_path: Path
) -> None:
    for at, step in enumerate(steps_of(whole), start=1):
        print(at, step, flush=True)
        kill_and_go_on(at, tmp_path / str(at), whole, bank_path)
