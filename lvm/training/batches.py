"""The order of an epoch, and the vectors of a batch on the training device."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lvm.data.sequences import FloatArray, SequenceSet, following_rows
from lvm.training.objectives import BEYOND, Window

_ORDER, _STEP = 1, 2
"""Purposes that keep the random streams of one seed apart."""

_RESIDENT_SHARE = 0.4
"""A bank that takes at most this share of an accelerator's free memory is kept there."""


def epoch_order(samples: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """(samples,) the order in which an epoch visits its samples; a function of seed and epoch."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, _ORDER, epoch]))
    return generator.permutation(samples)


def step_seed(seed: int, step: int) -> int:
    """Seed of the random numbers (dropout) of one step, the same for all its ranks (sharing.py).

    Each step is seeded anew from its number, so the random state at any step is known without
    having been saved: a resumed run draws exactly what an undisturbed one draws.
    """
    return int(np.random.SeedSequence([seed, _STEP, step, 0]).generate_state(1, np.uint64)[0])


def as_tensor(array: FloatArray) -> Tensor:
    """A tensor over the same memory. The array may be a read-only memory map: never write to it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


class BatchSource:
    """Gathers batches of one SequenceSet; the bank itself is moved only if the device has room."""

    def __init__(
        self, sequences: SequenceSet, device: torch.device, *, looks_beyond: bool = False
    ) -> None:
        """looks_beyond: windows come with the chunks after the target, where they are known."""
        self._device = device
        self._vectors = as_tensor(np.asarray(sequences.vectors))
        self._contexts = torch.from_numpy(np.asarray(sequences.contexts, np.int64))
        self._targets = torch.from_numpy(np.asarray(sequences.targets, np.int64))
        self._beyond = torch.from_numpy(_rows_beyond(sequences)) if looks_beyond else None
        self.knows_beyond = self._beyond is not None and bool((self._beyond >= 0).any())
        """Whether any sample has a known chunk after its target."""
        self._resident = device.type == "cuda" and _fits(self._vectors, device)
        if self._resident:
            self._vectors = self._vectors.to(device)
            self._contexts = self._contexts.to(device)
            self._targets = self._targets.to(device)
            self._beyond = None if self._beyond is None else self._beyond.to(device)

    def __len__(self) -> int:
        return len(self._targets)

    def fetch(self, samples: npt.NDArray[np.int64]) -> Window:
        """What surrounds n samples, float32, on the device."""
        chosen = torch.from_numpy(samples)
        if self._resident:
            chosen = chosen.to(self._device)
        rows = self._contexts[chosen]
        contexts = self._vectors.index_select(0, rows.flatten()).unflatten(0, rows.shape)
        targets = self._vectors.index_select(0, self._targets[chosen])
        contexts = contexts.to(self._device, torch.float32)
        targets = targets.to(self._device, torch.float32)
        if self._beyond is None:
            return Window(contexts, targets)
        rows = self._beyond[chosen]
        known = (rows >= 0).to(self._device, torch.float32)
        beyond = self._vectors.index_select(0, rows.clamp_min(0).flatten()).unflatten(0, rows.shape)
        return Window(
            contexts,
            targets,
            beyond.to(self._device, torch.float32) * known[:, :, None],
            known,
        )


def _rows_beyond(sequences: SequenceSet) -> npt.NDArray[np.int64]:
    """(N, 2) rows of the chunks at k = +2 and +3, −1 where not known."""
    following = following_rows(sequences)
    rows = np.asarray(sequences.targets, np.int64)
    found = []
    for _ in range(BEYOND):
        rows = np.where(rows >= 0, following[rows], -1)
        found.append(rows)
    return np.stack(found, axis=1)


def _fits(vectors: Tensor, device: torch.device) -> bool:
    free, _ = torch.cuda.mem_get_info(device)
    return vectors.nbytes <= _RESIDENT_SHARE * free
