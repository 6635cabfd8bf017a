"""The same trainer under torchrun: two gloo processes on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lvm.errors import RunError
from lvm.settings import MODEL_TYPES
from lvm.training.distributed import World, lost_ranks

from . import rank

RANK = Path(rank.__file__)


def torchrun(bank: Path, folder: Path, model: str, *more: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node=2",
        "--standalone",
        str(RANK),
        str(bank),
        str(folder),
        model,
        *more,
    ]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)


def train_alone(bank: Path, folder: Path, model: str) -> None:
    """The same program in this process, which torchrun did not start."""
    folder.mkdir()
    rank.main(str(bank), str(folder), model, die_after_epoch=0)


def history(folder: Path) -> list[dict[str, float]]:
    entries = json.loads((folder / "training_history.json").read_text())
    return [{k: v for k, v in entry.items() if isinstance(v, float)} for entry in entries]


def same_history(one: Path, other: Path) -> None:
    ours, theirs = history(one), history(other)
    assert len(ours) == len(theirs) == 3
    for entry, expected in zip(ours, theirs, strict=True):
        assert entry == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("model", MODEL_TYPES)
def test_two_ranks_give_the_history_of_one_with_the_same_effective_batch(
    model: str, bank_path: Path, tmp_path: Path
) -> None:
    train_alone(bank_path, tmp_path / "one", model)
    both = torchrun(bank_path, tmp_path / "two", model)
    assert both.returncode == 0, both.stderr
    same_history(tmp_path / "two", tmp_path / "one")


def test_only_the_main_rank_tells_and_writes(bank_path: Path, tmp_path: Path) -> None:
    done = torchrun(bank_path, tmp_path / "run", "amn")
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert {entry["rank"] for entry in told} == {0}
    assert [entry["event"] for entry in told].count("epoch_finished") == 3
    assert not list((tmp_path / "run").glob(".*"))


def test_the_death_of_a_rank_is_a_failure_and_the_run_can_be_resumed(
    bank_path: Path, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train_alone(bank_path, whole, "gru")
    killed = torchrun(bank_path, cut, "gru", "2")
    assert killed.returncode != 0
    assert "Signal 9 (SIGKILL)" in killed.stderr
    again = torchrun(bank_path, cut, "gru")
    assert again.returncode == 0, again.stderr
    same_history(cut, whole)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[/src/gloo/gloo/transport/tcp/pair.cc:537] Read error: reset by peer. GLHF!"),
        torch.distributed.DistBackendError("NCCL error: remote process exited"),
    ],
)
def test_a_lost_rank_is_told_in_words(error: RuntimeError) -> None:
    with pytest.raises(RunError, match="another rank ended") as caught, lost_ranks(World(0, 2)):
        raise error
    assert "last.pt" in caught.value.fix
    assert caught.value.where == "rank 0 of 2"


@pytest.mark.parametrize("world", [World(0, 1), World(1, 2)])
def test_other_errors_stay_what_they_are(world: World) -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2") as caught, lost_ranks(world):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    assert not isinstance(caught.value, RunError)
