"""kill -9 twenty times, resume, and compare with a run that nobody disturbed.

Five kills each: half-way through the write of a checkpoint, within 5CAT, between two epochs, and at
a moment that chance chose. Every step of writing has its turn in test_kill_points.py.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from lvm.clock import SystemClock
from lvm.data.sources import open_corpus
from lvm.events import CheckpointSaved, Event, FivecatFinished, FivecatStarted, RunStarted
from lvm.files import TEMPORARY_SUFFIX
from lvm.models.checkpoint import load_checkpoint
from lvm.settings import MODEL_TYPES, DataSettings, Thresholds, TrainSettings
from lvm.training.trainer import train

from .killing import Steps

PLACES = ("checkpoint", "5cat", "between epochs", "anywhere")
LATEST = {"checkpoint": 6, "5cat": 40, "between epochs": 2, "anywhere": 1}
"""The last of the times that it may come to a place before it is killed there."""
KILLS = 20

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["lvm.training.trainer", "lvm.data.sources"])


def settings(model: Any) -> TrainSettings:
    return TrainSettings(
        model=model,
        epochs=6,
        batch_size=8,
        d_model=16,
        hidden_dim=16,
        fivecat_every=2,
        checkpoint_every=2,
        fivecat_samples=40,
        fivecat_horizon=2,
        weight_average=0.2 if model in ("gru", "amn") else 0.0,
        save_every_seconds=0.02,  # so that many kills hit a checkpoint that is being written
        device="cpu",
    )


class Place:
    """Where the process kills itself, at the n-th time that it comes there."""

    def __init__(self, where: str, nth: int, folder: Path) -> None:
        self._where, self._left = where, nth
        self._in_fivecat, self._batches = False, 0
        if where == "checkpoint":
            Steps(folder, nth, only="write the rest of .").install()

    def tell(self, event: Event) -> None:
        match event:
            case FivecatStarted() | FivecatFinished():
                self._in_fivecat = isinstance(event, FivecatStarted)
            case RunStarted(batches_per_epoch=batches):
                self._batches = batches
            case CheckpointSaved(file="last.pt") if event.step == event.epoch * self._batches:
                self._come("between epochs")

    def control(self) -> None:
        if self._in_fivecat:
            self._come("5cat")

    def _come(self, where: str) -> None:
        self._left -= where == self._where
        if where == self._where and self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def train_to_the_end(bank: str, folder: str, model: str, where: str, nth: int) -> None:
    """What a killed process was doing, and what its successor goes on with."""
    torch.set_num_threads(1)
    path = Path(folder)
    corpus = open_corpus(DataSettings(bank=bank), root=path, seed=0)
    place = Place(where, nth, path)
    for event in train(
        settings(model),
        corpus,
        path,
        thresholds=Thresholds(severe=-2.0),
        control=place.control,
        clock=SystemClock(),
        resume=(path / "last.pt").exists(),
    ):
        place.tell(event)


def start(bank: Path, folder: Path, model: str, where: str = "", nth: int = 0) -> Any:
    arguments = (str(bank), str(folder), model, where, nth)
    process = PROCESSES.Process(target=train_to_the_end, args=arguments)
    process.start()
    return process


def assert_every_file_is_whole(folder: Path) -> None:
    for path in folder.glob("*.pt"):
        if path.name == "last.pt":
            torch.load(path, weights_only=True)
        else:
            load_checkpoint(path)
    for path in folder.glob("*.json"):
        json.loads(path.read_text())


@pytest.mark.parametrize("model", MODEL_TYPES)
def test_a_run_killed_twenty_times_ends_in_the_bits_of_an_undisturbed_one(
    model: str, bank_path: Path, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    undisturbed = start(bank_path, whole, model)
    undisturbed.join()
    assert undisturbed.exitcode == 0

    dice = random.Random(5)
    kills = [*PLACES] * (KILLS // len(PLACES))
    half_written: Counter[str] = Counter()
    while kills:
        where = kills[0]
        process = start(bank_path, killed, model, where, dice.randint(1, LATEST[where]))
        if where == "anywhere":
            process.join(dice.uniform(0.02, 0.4))
            if process.exitcode is None:
                os.kill(process.pid, signal.SIGKILL)
        process.join()
        if process.exitcode == 0:  # it came to its end without coming there: begin anew
            for path in killed.iterdir():
                path.unlink()
            continue
        assert process.exitcode == -signal.SIGKILL
        kills.pop(0)
        half_written[where] += any(killed.glob(f".*{TEMPORARY_SUFFIX}"))
        assert_every_file_is_whole(killed)
    assert half_written["checkpoint"] == KILLS // len(PLACES)
    assert half_written["5cat"] == half_written["between epochs"] == 0
    last = start(bank_path, killed, model)
    last.join()
    assert last.exitcode == 0
    assert not list(killed.glob(f".*{TEMPORARY_SUFFIX}"))

    print(f"{model}: {KILLS} kills; half-written temporary files after those: {dict(half_written)}")
    ours = torch.load(killed / "last.pt", weights_only=True)["model_state_dict"]
    theirs = torch.load(whole / "last.pt", weights_only=True)["model_state_dict"]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    name = "training_history.json"
    assert (killed / name).read_bytes() == (whole / name).read_bytes()
    for name in ("best_model.pt", "best_5cat_model.pt"):
        one, other = (torch.load(f / name, weights_only=True) for f in (killed, whole))
        one_weights, other_weights = one.pop("model_state_dict"), other.pop("model_state_dict")
        assert all(torch.equal(one_weights[key], other_weights[key]) for key in other_weights)
