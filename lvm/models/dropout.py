"""Dropout on the CPU from a quarter of the random numbers.

Torch draws a whole number for each element, one after another, which takes a sixth of a
Transformer's training step (benchmarks/training). Sixteen bits suffice: an element is dropped with
probability round(p · 65,536) / 65,536, and what is kept is scaled by exactly the inverse of its
probability, so the expectation is the input's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_LEVELS = 1 << 16
_PER_DRAW = 4
"""Sixteen-bit numbers in a drawn 64-bit one."""


def dropped(x: Tensor, probability: float, *, batch_axis: int = 0) -> Tensor:
    """`x` (…) with elements set to zero at random and the rest scaled up, for training.

    The random numbers come from torch's global generator, in a tensor that has the batch on the
    same axis as `x`, so that the rows of a batch can be told apart (training/sharing.py).
    """
    level = round(probability * _LEVELS)
    if level == 0:
        return x
    return x * _kept(x.shape, level, batch_axis).to(x.dtype).mul_(_LEVELS / (_LEVELS - level))


def _kept(shape: torch.Size, level: int, batch_axis: int) -> Tensor:
    """Booleans of `shape`, True with probability 1 − level / 65,536."""
    leading, trailing = shape[: batch_axis + 1], shape[batch_axis + 1 :]
    elements = math.prod(trailing)
    draws = torch.empty((*leading, -(-elements // _PER_DRAW)), dtype=torch.int64)
    bits = draws.random_(torch.iinfo(torch.int64).min, None).view(torch.int16)
    return (bits[..., :elements] >= level - _LEVELS // 2).view(shape)
