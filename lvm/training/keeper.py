"""What a run leaves on disk besides its log: last.pt, checkpoints, training_history.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lvm.clock import Clock
from lvm.events import CheckpointSaved
from lvm.files import remove_leftovers, write_json
from lvm.models.checkpoint import save_checkpoint
from lvm.models.config import ModelConfig
from lvm.settings import TrainSettings
from lvm.training.alerts import counts_against_production
from lvm.training.averaging import Averaging
from lvm.training.distributed import World
from lvm.training.objectives import Objective
from lvm.training.state import LAST, TrainState, load_last, save_last
from lvm.training.stepper import Stepper

BEST, BEST_5CAT, HISTORY = "best_model.pt", "best_5cat_model.pt", "training_history.json"


class Keeper:
    """Writes on the main rank only; every rank must call it at the same points."""

    def __init__(
        self,
        folder: Path,
        settings: TrainSettings,
        fingerprint: str,
        *,
        model: nn.Module,
        averaging: Averaging,
        config: ModelConfig,
        stepper: Stepper,
        objective: Objective,
        scheduler: ReduceLROnPlateau,
        clock: Clock,
        world: World,
    ) -> None:
        self._folder, self._settings, self._fingerprint = folder, settings, fingerprint
        self._model, self._config, self._stepper = model, config, stepper
        self._averaging = averaging
        self._objective = objective
        self._scheduler, self._clock, self._world = scheduler, clock, world
        self._saved = clock.monotonic()
        if world.is_main:  # what a killed predecessor was writing
            remove_leftovers(folder)

    def due(self) -> bool:
        """Whether `last.pt` is older than save_every_seconds; the main rank's clock counts."""
        return self._world.agreed_flag(
            self._clock.monotonic() - self._saved >= self._settings.save_every_seconds
        )

    def idled(self, seconds: float) -> None:
        """A pause is not training time."""
        self._saved += seconds

    def save_last(self, state: TrainState) -> CheckpointSaved:
        """Write `last.pt` at the present position, and the time trained into `state`."""
        now = self._clock.monotonic()
        state.seconds += now - self._saved
        self._saved = now
        state.sums = self._world.add_up(self._stepper.sums.clone()).tolist()
        state.objective = self._objective.memory
        size = 0
        if self._world.is_main:
            size = save_last(
                self._folder,
                state,
                settings=self._settings,
                fingerprint=self._fingerprint,
                model=self._model.state_dict(),
                average=self._averaging.state(),
                optimizer=self._stepper.optimizer.state_dict(),
                scheduler=self._scheduler.state_dict(),
            )
        return CheckpointSaved(state.epoch, state.step, LAST, size)

    def restore(self) -> TrainState:
        """Put model, optimiser and schedule back to `last.pt`; raises what `load_last` raises."""
        document = load_last(self._folder, self._settings, self._fingerprint)
        state: TrainState = document["state"]
        self._model.load_state_dict(document["model_state_dict"])
        self._averaging.restore(document.get("average_state_dict"))
        self._stepper.optimizer.load_state_dict(document["optimizer_state_dict"])
        self._scheduler.load_state_dict(document["scheduler_state_dict"])
        self._stepper.micro_batch = state.micro_batch
        self._objective.memory = state.objective
        if self._world.is_main:  # the other ranks start from zero: sums are added up over ranks
            sums = self._stepper.sums
            sums.copy_(torch.tensor(state.sums, dtype=sums.dtype))
        return state

    def save_checkpoint(
        self,
        name: str,
        entry: dict[str, Any],
        state: TrainState,
        *,
        with_optimizer: bool = False,
        fivecat: dict[str, Any] | None = None,
    ) -> CheckpointSaved:
        """Write a checkpoint of the user's format, with the epoch's numbers from `entry`.

        Its weights are those that were judged: their mean, where they are averaged. It says which
        run it comes from and that run's alerts so far: a copy of it may be judged where the run
        folder is not (lvm/runs/past.py).
        """
        size = 0
        if self._world.is_main:
            optimizer = self._stepper.optimizer.state_dict() if with_optimizer else None
            size = save_checkpoint(
                self._folder / name,
                model_type=self._settings.model,
                config=self._config,
                state_dict=self._averaging.judged.state_dict(),
                epoch=entry["epoch"],
                train_loss=entry["train_loss"],
                train_cosine=entry["train_cosine"],
                val_loss=entry["val_loss"],
                val_cosine=entry["val_cosine"],
                optimizer_state_dict=optimizer,
                fivecat=fivecat,
                run=self._folder.name,
                backward_bias_alerts=sum(map(counts_against_production, state.alerts)),
            )
        return CheckpointSaved(entry["epoch"], state.step, name, size)

    def write_history(self, state: TrainState) -> None:
        if self._world.is_main:
            write_json(self._folder / HISTORY, state.history)
