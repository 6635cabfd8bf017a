"""Which library multiplies float32 matrices on the CPU.

Torch asks MKL, which on AMD processors runs at half of what oneDNN, also in torch, gets out of
the same machine (benchmarks/training). Torch hands float32 products to oneDNN only under a
setting that *allows* it to round to bfloat16 inside. Some processors then do (those with AMX), most
do not. So the setting is tried, and kept only where the products stay float32.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

_SHAPES = ((1280, 256, 1024), (256, 512, 2048), (5, 768, 256), (256, 256, 256))
"""Rows, inner and columns of products that the models make."""

_ROUNDING = 2e-6
"""Relative error (Frobenius) below which a product is float32: it is 4e-7 there, 3e-3 in bfloat16,
3e-4 in TF32."""


@cache
def use_fastest_float32() -> bool:
    """Let oneDNN multiply float32 matrices on the CPU, if that is exact here. Tried once.

    Returns whether it does from now on, in this whole process. Torch's random state is left alone.
    """
    settings: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    if not torch.backends.mkldnn.is_available():
        return False
    before = settings.fp32_precision
    settings.fp32_precision = "bf16"
    exact = all(_error(*shape) < _ROUNDING for shape in _SHAPES)
    if not exact:
        settings.fp32_precision = before
    return exact


def _error(rows: int, inner: int, columns: int) -> float:
    """Of a product, its transposed forms (as gradients need them) among the shapes by symmetry."""
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(rows, inner, generator=generator)
    right = torch.randn(columns, inner, generator=generator)
    wide = left.double() @ right.double().T
    return max(_distance(left @ right.T, wide), _distance((right @ left.T).T, wide))


def _distance(product: Tensor, wide: Tensor) -> float:
    return float((product.double() - wide).norm() / wide.norm())
