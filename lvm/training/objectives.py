"""What a step minimises.

An objective is a mean over samples: its gradient over a batch is the same however the batch is
cut into micro-batches, halved for want of memory, or dealt out to ranks. What an objective
remembers from step to step is a few plain numbers, kept in `last.pt`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lvm.settings import TrainSettings

ObjectiveFunction = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(predictions (n, D), targets (n, D), contexts (n, 5, D)) → scalar, a mean over the n samples."""


BEYOND = 2
"""Chunks after the target that an objective may look at: 5CAT's k = +2 and +3."""


@dataclass(frozen=True, slots=True)
class Window:
    """What surrounds n predictions, float32, on the training device."""

    contexts: Tensor
    """(n, 5, D), oldest first."""
    targets: Tensor
    """(n, D)."""
    beyond: Tensor | None = None
    """(n, 2, D) the chunks after the target, zeros where there is none; None if not asked for."""
    known: Tensor | None = None
    """(n, 2) 1 where `beyond` holds a chunk, else 0."""


class Objective:
    """What is minimised; as it stands here, a plain function that remembers nothing."""

    looks_beyond = False
    """Whether it needs the chunks after the target."""
    tally_size = 0
    """Length of what `tally` returns."""

    def __init__(self, function: ObjectiveFunction) -> None:
        self._function = function

    def loss(self, predictions: Tensor, window: Window) -> Tensor:
        """A scalar, the mean over the samples of the window."""
        return self._function(predictions, window.targets, window.contexts)

    def tally(self, predictions: Tensor, window: Window) -> Tensor:
        """(m,) sums over the samples, from which `learn` and `of_split` work; here none."""
        del window
        return torch.zeros(0, dtype=wide_dtype(predictions.device), device=predictions.device)

    def learn(self, tally: Tensor) -> None:
        """After a step, the tally of its whole batch over all micro-batches and ranks."""

    def of_split(self, tally: Tensor) -> float | None:
        """The objective over a whole split; None: the mean of `loss`."""
        del tally
        return None

    @property
    def memory(self) -> list[float]:
        """What it remembers, as plain numbers."""
        return []

    @memory.setter
    def memory(self, numbers: list[float]) -> None:
        del numbers


def make_objective(settings: TrainSettings) -> Objective:
    """The objective that the settings name."""
    if settings.objective == "mse":
        return Objective(mean_squared_error)
    from lvm.training.forward import Forward

    return Forward.of(settings)


def mean_squared_error(predictions: Tensor, targets: Tensor, contexts: Tensor) -> Tensor:
    """Mean over samples and dimensions of the squared difference; (2 − 2·cos) / D on unit rows."""
    del contexts
    return functional.mse_loss(predictions.float(), targets)


def cosine_sum(predictions: Tensor, targets: Tensor) -> Tensor:
    """Sum over samples of the cosine of unit rows, as a float64 scalar (float32 on MPS)."""
    cosines = (predictions.float() * targets).sum(dim=-1)
    return cosines.sum(dtype=wide_dtype(cosines.device))


def wide_dtype(device: torch.device) -> torch.dtype:
    """The widest float for sums on `device`: MPS has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64
