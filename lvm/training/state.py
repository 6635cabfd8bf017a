"""`last.pt`: everything needed to go on as if nothing had happened.

Random states are not among it: every epoch's order and every step's dropout are drawn from
(seed, epoch) and (seed, step), so the position is the random state (batches.py).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lvm.errors import CheckpointError, DataError, SettingsError, in_words
from lvm.events import AlertRaised
from lvm.files import write_whole
from lvm.settings import TrainSettings

LAST = "last.pt"
_VERSION = 1

_FIXED = (
    "model",
    "d_model",
    "hidden_dim",
    "batch_size",
    "weight_average",
    "objective",
    "forward_push",
    "forward_goal",
    "forward_temperature",
    "precision",
    "compile",
    "seed",
)
"""Settings that a resumed run cannot change without becoming another run."""


@dataclass(slots=True)
class TrainState:
    """Where a run stands, besides its tensors. Plain numbers only."""

    epoch: int = 0
    """Whole epochs done, with validation and 5CAT."""
    batch: int = 0
    """Batches done of the epoch after that."""
    step: int = 0
    rate: float = 0.0
    """Learning rate after the plateau schedule, before warm-up."""
    micro_batch: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    """Over the unfinished epoch: loss·n, cosine, n."""
    objective: list[float] = field(default_factory=list)
    """What the objective remembers from step to step (objectives.py)."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """`training_history.json`."""
    alerts: list[dict[str, Any]] = field(default_factory=list)
    """AlertRaised of this run, as plain dictionaries, each id once."""
    best_epoch: int = 0
    best_val_loss: float | None = None
    best_5cat_epoch: int = 0
    best_5cat_score: float | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    """The 5CAT document of the best score."""
    seconds: float = 0.0
    epoch_seconds: list[float] = field(default_factory=list)

    def remember(self, alert: AlertRaised) -> None:
        """Keep an alert in the run's history; one that a resumed run raises again counts once."""
        if all(known["alert"] != alert.alert for known in self.alerts):
            names = ("alert", "cause", "level", "epoch", "split")
            self.alerts.append({name: getattr(alert, name) for name in names})


def save_last(
    folder: Path,
    state: TrainState,
    *,
    settings: TrainSettings,
    fingerprint: str,
    model: dict[str, Tensor],
    average: dict[str, Any] | None,
    optimizer: dict[str, Any],
    scheduler: dict[str, Any],
) -> int:
    """Write `last.pt`, whole or not at all; returns its size in bytes."""
    document = {
        "version": _VERSION,
        "state": dataclasses.asdict(state),
        "settings": settings.to_json(),
        "fingerprint": fingerprint,
        "model_state_dict": model,
        "average_state_dict": average,
        "optimizer_state_dict": optimizer,
        "scheduler_state_dict": scheduler,
    }
    path = folder / LAST
    write_whole(path, lambda file: torch.save(document, file))
    return path.stat().st_size


def load_last(folder: Path, settings: TrainSettings, fingerprint: str) -> dict[str, Any]:
    """The document of `last.pt`, its "state" turned into a TrainState.

    Raises CheckpointError when the file cannot be read, SettingsError when the settings would make
    it another run, DataError when the data is not the data that it was trained on.
    """
    path = folder / LAST
    try:
        document: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state = TrainState(**document["state"])
    except Exception as error:
        raise CheckpointError(
            f"cannot be read: {in_words(error).splitlines()[0]}",
            where=str(path),
            fix="start the run anew; its best_model.pt and checkpoints can still be used",
        ) from error
    before = TrainSettings().to_json() | document["settings"]  # older files lack newer settings
    for name in _FIXED:
        if before.get(name) != getattr(settings, name):
            raise SettingsError(
                f"{name} was {before.get(name)!r}, now {getattr(settings, name)!r}",
                where=str(path),
                fix="resume with the settings of the run, or start a new one",
            )
    if document["fingerprint"] != fingerprint:
        raise DataError(
            "the data has changed since this run began",
            where=str(path),
            fix="bring the old data back to resume, or start a new run on the new data",
        )
    document["state"] = state
    return document
