"""What chance decides in 5CAT: which samples are measured, and how each one is shuffled.

Both are functions of the seed and the split alone: not of the batch size, the device, or any
global random state.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from lvm.settings import CONTEXT_LENGTH

_SAMPLES, _PERMUTATIONS = 1, 2
"""Purposes that keep the random streams of one seed apart."""

_ORDERS = np.array(list(itertools.permutations(range(CONTEXT_LENGTH))), np.int64)
"""(120, 5) all orders of the contexts; row 0 is the order as it is."""


def draw_samples(
    available: int, max_samples: int, *, seed: int, split: int
) -> npt.NDArray[np.int64]:
    """Which of `available` samples are measured: at most `max_samples`, none twice, ascending.

    split: 0 for VAL, 1 for OOD.
    """
    if available <= max_samples:
        return np.arange(available)
    chosen = _generator(seed, _SAMPLES, split).choice(available, max_samples, replace=False)
    return np.sort(chosen)


def draw_permutations(count: int, *, seed: int, split: int) -> npt.NDArray[np.int64]:
    """(count, 5) an order for each drawn sample's contexts, any of the 119 but the given one."""
    return _ORDERS[_generator(seed, _PERMUTATIONS, split).integers(1, len(_ORDERS), count)]


def _generator(seed: int, purpose: int, split: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, purpose, split]))
