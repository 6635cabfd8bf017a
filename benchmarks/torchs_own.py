"""Models and matrix products as torch has them: what the fast paths are measured against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lvm.models.base import LatentModel


class Plainly(nn.Module):
    """The same weights, through torch's own modules."""

    def __init__(self, model: LatentModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, contexts: Tensor) -> Tensor:
        return self.model.plain(contexts)


@contextmanager
def default_products() -> Iterator[None]:
    """Within, float32 matrices are multiplied by what torch chooses (lvm/models/gemm.py)."""
    settings: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = settings.fp32_precision
    settings.fp32_precision = "none"
    try:
        yield
    finally:
        settings.fp32_precision = before
