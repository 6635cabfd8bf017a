"""The order of an epoch, and the vectors of a batch on the training device."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lvm.data.sequences import FloatArray, SequenceSet

_ORDER, _STEP = 1, 2
"""Purposes that keep the random streams of one seed apart."""

_RESIDENT_SHARE = 0.4
"""A bank that takes at most this share of an accelerator's free memory is kept there."""


def epoch_order(samples: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """(samples,) the order in which an epoch visits its samples; a function of seed and epoch."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, _ORDER, epoch]))
    return generator.permutation(samples)


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """Seed of the random numbers (dropout) of one step.

    Each step is seeded anew from its number, so the random state at any step is known without
    having been saved: a resumed run draws exactly what an undisturbed one draws.
    """
    return int(np.random.SeedSequence([seed, _STEP, step, rank]).generate_state(1, np.uint64)[0])


def as_tensor(array: FloatArray) -> Tensor:
    """A tensor over the same memory. The array may be a read-only memory map: never write to it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


class BatchSource:
    """Gathers batches of one SequenceSet; the bank itself is moved only if the device has room."""

    def __init__(self, sequences: SequenceSet, device: torch.device) -> None:
        self._device = device
        self._vectors = as_tensor(np.asarray(sequences.vectors))
        self._contexts = torch.from_numpy(np.asarray(sequences.contexts, np.int64))
        self._targets = torch.from_numpy(np.asarray(sequences.targets, np.int64))
        self._resident = device.type == "cuda" and _fits(self._vectors, device)
        if self._resident:
            self._vectors = self._vectors.to(device)
            self._contexts = self._contexts.to(device)
            self._targets = self._targets.to(device)

    def __len__(self) -> int:
        return len(self._targets)

    def fetch(self, samples: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Contexts (n, 5, D) and targets (n, D), float32, on the device."""
        chosen = torch.from_numpy(samples)
        if self._resident:
            chosen = chosen.to(self._device)
        rows = self._contexts[chosen]
        contexts = self._vectors.index_select(0, rows.flatten()).unflatten(0, rows.shape)
        targets = self._vectors.index_select(0, self._targets[chosen])
        return (
            contexts.to(self._device, torch.float32),
            targets.to(self._device, torch.float32),
        )


def _fits(vectors: Tensor, device: torch.device) -> bool:
    free, _ = torch.cuda.mem_get_info(device)
    return vectors.nbytes <= _RESIDENT_SHARE * free
