"""One rank: `torchrun --nproc-per-node 2 rank.py BANK FOLDER MODEL[/OBJECTIVE] [DIE_AFTER]`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch

from lvm.clock import SystemClock
from lvm.data.sources import open_corpus
from lvm.events import EpochFinished
from lvm.settings import DataSettings, Thresholds, TrainSettings
from lvm.training.distributed import joined_world
from lvm.training.trainer import train


def main(bank: str, folder: str, model: str, die_after_epoch: int) -> None:
    torch.set_num_threads(1)
    path = Path(folder)
    model, _, objective = model.partition("/")
    corpus = open_corpus(DataSettings(bank=bank), root=path, seed=0)
    settings = TrainSettings(
        model=model,  # type: ignore[arg-type]
        objective=objective or "mse",  # type: ignore[arg-type]
        epochs=3,
        batch_size=32,
        d_model=16,
        hidden_dim=16,
        fivecat_every=2,
        checkpoint_every=2,
        fivecat_samples=40,
        fivecat_horizon=2,
        device="cpu",
    )
    with joined_world() as world:
        told = train(
            settings,
            corpus,
            path,
            thresholds=Thresholds(severe=-2.0),
            control=lambda: None,
            clock=SystemClock(),
            resume=(path / "last.pt").exists(),
            world=world,
        )
        for event in told:
            print(json.dumps({"rank": world.rank, "event": event.kind()}), flush=True)
            if isinstance(event, EpochFinished) and event.epoch == die_after_epoch:
                os.kill(os.getpid(), 9)


if __name__ == "__main__":
    main(*sys.argv[1:4], die_after_epoch=int(sys.argv[4]) if len(sys.argv) > 4 else 0)
