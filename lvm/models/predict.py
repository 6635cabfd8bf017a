"""Predictions in batches, for 5CAT, baselines and services: the only way to use a model's output.

Never leaves a trace: the model's mode, torch's grad and inference modes and random state are
after each call what they were before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from lvm.errors import DataError, RunError
from lvm.models.gemm import use_fastest_float32
from lvm.settings import CONTEXT_LENGTH


class Predictor:
    """A model in evaluation mode, `batch_size` rows per forward pass, on one device."""

    def __init__(
        self, model: nn.Module, device: torch.device | str = "cpu", batch_size: int = 512
    ) -> None:
        """Moves `model` to `device`. Any module that maps (n, 5, D) to (n, D) will do."""
        use_fastest_float32()
        self.device = torch.device(device)
        self.model = model.to(self.device)
        self.batch_size = batch_size
        config = getattr(model, "config", None)
        self.dim: int | None = getattr(config, "dim", None)
        """Width of the vectors, where the model tells."""

    def __call__(self, contexts: npt.ArrayLike | Tensor) -> Tensor:
        """Contexts (n, 5, D), oldest first → predictions (n, D) float32, on the device.

        Raises DataError for another shape, RunError when the model predicts NaN or infinity.
        """
        batch = as_tensor(contexts, self.device)
        self._check_shape(batch)
        with torch.inference_mode(), evaluating(self.model):
            starts = range(0, len(batch), self.batch_size)
            parts = [self.model(batch[start : start + self.batch_size]) for start in starts]
            predictions = torch.cat(parts) if parts else batch[:, 0]
            finite = bool(torch.isfinite(predictions).all())
        if not finite:
            raise RunError(
                "the model predicts NaN or infinite values",
                fix="its weights have diverged: use an earlier checkpoint",
            )
        return predictions

    def _check_shape(self, batch: Tensor) -> None:
        width = self.dim if self.dim is not None else (batch.shape[-1] if batch.ndim else 0)
        if batch.ndim != 3 or tuple(batch.shape[1:]) != (CONTEXT_LENGTH, width):
            raise DataError(
                f"contexts of shape {tuple(batch.shape)}",
                fix=f"this model reads (n, {CONTEXT_LENGTH}, {self.dim or 'D'})",
            )


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode within the block; every submodule's own mode after it."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def as_tensor(values: npt.ArrayLike | Tensor, device: torch.device) -> Tensor:
    """A float32 tensor on `device`; read-only memory maps are copied, nothing is ever written."""
    if isinstance(values, Tensor):
        return values.to(device, torch.float32)
    array = np.asarray(values, np.float32)
    if not array.flags.writeable or not array.flags.c_contiguous:
        array = array.copy()
    return torch.from_numpy(array).to(device)
