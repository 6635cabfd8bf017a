"""Small runs of the real trainer, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lvm import events
from lvm.clock import SystemClock
from lvm.control import Action, Control
from lvm.data.sources import Corpus
from lvm.settings import Thresholds, TrainSettings
from lvm.training.objectives import Objective, ObjectiveFunction
from lvm.training.trainer import train

LENIENT = Thresholds(severe=-2.0)
"""No margin can be severe, so that no run is stopped by its own test results."""


def settings(**changes: Any) -> TrainSettings:
    tiny = TrainSettings(
        model="gru",
        epochs=4,
        batch_size=32,
        d_model=16,
        hidden_dim=16,
        fivecat_every=2,
        checkpoint_every=2,
        fivecat_samples=40,
        fivecat_horizon=2,
        device="cpu",
    )
    return tiny.changed(**changes)


def nobody() -> Action | None:
    return None


def run(
    corpus: Corpus,
    folder: Path,
    what: TrainSettings,
    *,
    control: Control = nobody,
    resume: bool = False,
    thresholds: Thresholds = LENIENT,
    objective: ObjectiveFunction | None = None,
) -> Iterator[events.Event]:
    folder.mkdir(exist_ok=True)
    return train(
        what,
        corpus,
        folder,
        thresholds=thresholds,
        control=control,
        clock=SystemClock(),
        resume=resume,
        objective=Objective(objective) if objective else None,
    )


def weights(folder: Path) -> dict[str, Tensor]:
    document = torch.load(folder / "last.pt", weights_only=True)
    return dict(document["model_state_dict"])


def assert_same_run(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    name = "training_history.json"
    assert (one / name).read_bytes() == (other / name).read_bytes()


def of_kind(told: list[events.Event], kind: type[events.Event]) -> list[Any]:
    return [event for event in told if isinstance(event, kind)]
