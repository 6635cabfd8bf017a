"""Models that need no training: whatever maps (n, 5, D) contexts to (n, D) predictions.

They are torch modules, so that 5CAT measures them exactly as it measures a trained model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from lvm.models.base import unit


class CopyLast(nn.Module):
    """The next chunk is the last one again."""

    def forward(self, contexts: Tensor) -> Tensor:
        return unit(contexts[:, -1])


class MeanOfContexts(nn.Module):
    """The next chunk is the average of the five."""

    def forward(self, contexts: Tensor) -> Tensor:
        return unit(contexts.mean(dim=1))


class LinearPredictor(nn.Module):
    """The next chunk is one affine map of the five, brought to unit length."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: npt.NDArray[np.floating], bias: npt.NDArray[np.floating]) -> None:
        """`weight` (5·D, D), rows in the order of the flattened contexts; `bias` (D,)."""
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(np.asarray(weight, np.float32).copy()))
        self.register_buffer("bias", torch.from_numpy(np.asarray(bias, np.float32).copy()))

    def forward(self, contexts: Tensor) -> Tensor:
        return unit(torch.addmm(self.bias, contexts.flatten(1), self.weight))
