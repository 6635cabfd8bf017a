"""kill -9 at random moments, resume, and compare with a run that nobody disturbed."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from lvm.clock import SystemClock
from lvm.data.sources import open_corpus
from lvm.files import TEMPORARY_SUFFIX
from lvm.models.checkpoint import load_checkpoint
from lvm.settings import MODEL_TYPES, DataSettings, Thresholds, TrainSettings
from lvm.training.trainer import train

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
        save_every_seconds=0.02,  # so that many kills hit a checkpoint that is being written
        device="cpu",
    )


def train_to_the_end(bank: str, folder: str, model: str) -> None:
    """What a killed process was doing, and what its successor goes on with."""
    torch.set_num_threads(1)
    path = Path(folder)
    corpus = open_corpus(DataSettings(bank=bank), root=path, seed=0)
    for _ in train(
        settings(model),
        corpus,
        path,
        thresholds=Thresholds(severe=-2.0),
        control=lambda: None,
        clock=SystemClock(),
        resume=(path / "last.pt").exists(),
    ):
        pass


def start(bank: Path, folder: Path, model: str) -> Any:
    process = PROCESSES.Process(target=train_to_the_end, args=(str(bank), str(folder), model))
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
    kills = half_written = 0
    while kills < KILLS:
        process = start(bank_path, killed, model)
        process.join(dice.uniform(0.02, 0.4))
        if process.exitcode == 0:  # it came to its end between two kills: begin anew
            for path in killed.iterdir():
                path.unlink()
            continue
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        kills += 1
        half_written += any(killed.glob(f".*{TEMPORARY_SUFFIX}"))
        assert_every_file_is_whole(killed)
    last = start(bank_path, killed, model)
    last.join()
    assert last.exitcode == 0
    assert not list(killed.glob(f".*{TEMPORARY_SUFFIX}"))

    print(f"{model}: {kills} kills, {half_written} of them left a half-written temporary file")
    ours = torch.load(killed / "last.pt", weights_only=True)["model_state_dict"]
    theirs = torch.load(whole / "last.pt", weights_only=True)["model_state_dict"]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    name = "training_history.json"
    assert (killed / name).read_bytes() == (whole / name).read_bytes()
    for name in ("best_model.pt", "best_5cat_model.pt"):
        one, other = (torch.load(f / name, weights_only=True) for f in (killed, whole))
        one_weights, other_weights = one.pop("model_state_dict"), other.pop("model_state_dict")
        assert all(torch.equal(one_weights[key], other_weights[key]) for key in other_weights)
