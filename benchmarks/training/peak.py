"""How much arithmetic a step takes, and how fast this machine multiplies matrices."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from lvm.models import build
from lvm.settings import CONTEXT_LENGTH, TrainSettings

Shape = tuple[int, ...]

SQUARE = (1024, 1024, 1024)
SECONDS = 0.3
"""Each product is repeated for so long, and the fastest of them counts: what the machine can."""


@dataclass(frozen=True)
class Peak:
    """Floating-point operations a second, a multiplication and an addition each counted."""

    best: float
    """Of the fastest product found: a square one, or one that the model is made of."""
    shapes: float
    """Of all products that the model is made of, one after the other."""


def step_operations(settings: TrainSettings, dim: int) -> int:
    """Operations of the matrix products that our model does in one step, forward and backward."""
    model = _model(settings, dim)
    contexts = torch.randn(settings.batch_size, CONTEXT_LENGTH, dim)
    targets = torch.randn(settings.batch_size, dim)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="TF32 acceleration")
        # Without oneDNN an LSTM is made of products that the counter knows.
        counter = FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: _addmm_})
        with torch.backends.mkldnn.flags(enabled=False), counter:
            functional.mse_loss(model(contexts), targets).backward()
    return int(counter.get_total_flops())


def measure(settings: TrainSettings, dim: int, dtype: torch.dtype) -> Peak:
    """The peak in `dtype` with torch's number of threads."""
    shapes = _shapes(settings, dim)
    seconds = {shape: _seconds(shape, dtype) for shape in {SQUARE, *shapes}}
    return Peak(
        best=max(_operations(shape) / taken for shape, taken in seconds.items()),
        shapes=sum(map(_operations, shapes)) / sum(seconds[shape] for shape in shapes),
    )


def _addmm_(where: Shape, left: Shape, right: Shape, **others: object) -> int:
    """The product in place, which the counter does not know."""
    del where, others
    return 2 * left[0] * left[1] * right[1]


def _model(settings: TrainSettings, dim: int) -> nn.Module:
    return build(
        settings.model, dim, d_model=settings.d_model, hidden_dim=settings.hidden_dim
    ).train()


def _shapes(settings: TrainSettings, dim: int) -> list[tuple[int, int, int]]:
    """(rows, in, out) of each weight matrix applied to a batch of contexts."""
    rows = settings.batch_size * CONTEXT_LENGTH
    weights = [w for w in _model(settings, dim).parameters() if w.ndim == 2]
    return [(rows, weight.shape[1], weight.shape[0]) for weight in weights]


def _operations(shape: tuple[int, int, int]) -> float:
    return 2.0 * shape[0] * shape[1] * shape[2]


def _seconds(shape: tuple[int, int, int], dtype: torch.dtype) -> float:
    """Of the fastest product of this shape."""
    rows, inner, columns = shape
    left = torch.randn(rows, inner, dtype=dtype)
    right = torch.randn(columns, inner, dtype=dtype)
    out = torch.empty(rows, columns, dtype=dtype)
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < SECONDS or best == float("inf"):
        started = time.perf_counter()
        torch.mm(left, right.T, out=out)
        best = min(best, time.perf_counter() - started)
    return best
