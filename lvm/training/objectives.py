"""What a step minimises."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from lvm.settings import Objective

ObjectiveFunction = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(predictions (n, D), targets (n, D), contexts (n, 5, D)) → scalar, a mean over the n samples."""


def mean_squared_error(predictions: Tensor, targets: Tensor, contexts: Tensor) -> Tensor:
    """Mean over samples and dimensions of the squared difference; (2 − 2·cos) / D on unit rows."""
    del contexts
    return functional.mse_loss(predictions.float(), targets)


OBJECTIVES: dict[Objective, ObjectiveFunction] = {"mse": mean_squared_error}


def cosine_sum(predictions: Tensor, targets: Tensor) -> Tensor:
    """Sum over samples of the cosine of unit rows, as a float64 scalar (float32 on MPS)."""
    cosines = (predictions.float() * targets).sum(dim=-1)
    return cosines.sum(dtype=wide_dtype(cosines.device))


def wide_dtype(device: torch.device) -> torch.dtype:
    """The widest float for sums on `device`: MPS has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64
