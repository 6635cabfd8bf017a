"""Test E: is the model as good on texts that hold together as on texts that jump about?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lvm.settings import Thresholds


def coherence(contexts: Tensor) -> npt.NDArray[np.float64]:
    """(n, 5, D) unit vectors → (n,) mean cosine of adjacent contexts."""
    with torch.inference_mode():
        adjacent = (contexts[:, 1:] * contexts[:, :-1]).sum(dim=-1).mean(dim=-1)
    return adjacent.cpu().numpy().astype(np.float64)


def summarise(
    coherences: npt.NDArray[np.float64],
    target_cosines: npt.NDArray[np.float64],
    thresholds: Thresholds,
) -> dict[str, float | int | None]:
    """Mean cosine to the target and number of samples of the bins low, normal and high.

    low < bin_low ≤ normal ≤ bin_normal < high. The mean of an empty bin is None: not measured.
    """
    low = coherences < thresholds.bin_low
    high = coherences > thresholds.bin_normal
    numbers: dict[str, float | int | None] = {}
    for name, members in (("low", low), ("normal", ~low & ~high), ("high", high)):
        count = int(members.sum())
        numbers[f"{name}_mean"] = float(target_cosines[members].mean()) if count else None
        numbers[f"{name}_n"] = count
    return numbers
