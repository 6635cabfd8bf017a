"""Small worlds for 5CAT: random articles that hang together, and models that know the answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from lvm.data.samples import Samples
from lvm.models import build
from lvm.models.base import LatentModel

torch.set_num_threads(1)  # matrices this small only wait for other threads

DIM = 16
World = Callable[..., Samples]


def unit_rows(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def world() -> World:
    """world(lengths, seed, first, step) → samples of articles of such lengths.

    first: the earliest target position; below 5, a sample's first contexts lie in the article
    before (as sequence files of unknown origin may have it). step: how far chunks drift.
    """

    def make(
        lengths: Sequence[int],
        *,
        seed: int = 0,
        name: str = "VAL",
        first: int = 5,
        drift: float = 1.2,
        dim: int = DIM,
    ) -> Samples:
        random = np.random.default_rng(seed)
        rows = []
        for length in lengths:
            chunk = random.normal(size=dim)
            for _ in range(length):
                rows.append(chunk)
                chunk = chunk / np.linalg.norm(chunk) * np.sqrt(dim)
                chunk = chunk + drift * random.normal(size=dim)
        vectors = unit_rows(np.array(rows))
        starts = np.concatenate([[0], np.cumsum(lengths)])
        targets, lows, highs = [], [], []
        for start, end in itertools.pairwise(starts):
            for target in range(max(start + first, 5), end):
                targets.append(target)
                lows.append(start)
                highs.append(end)
        target_rows = np.array(targets, np.int64)
        return Samples(
            name=name,
            vectors=vectors,
            context_vectors=vectors,
            contexts=(target_rows[:, None] + np.arange(-5, 0)).astype(np.int32),
            target_rows=target_rows,
            article_starts=np.array(lows, np.int64),
            article_ends=np.array(highs, np.int64),
        )

    return make


@pytest.fixture
def random_model() -> Callable[..., LatentModel]:
    def make(model_type: str, seed: int = 0, dim: int = DIM) -> LatentModel:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return build(model_type, dim, d_model=16, hidden_dim=24).eval()

    return make


class LooksUp(nn.Module):
    """Knows the article bank by heart: answers with the chunk `ahead` of its last context."""

    def __init__(self, samples: Samples, ahead: int = 1) -> None:
        super().__init__()
        self.vectors = torch.from_numpy(np.array(samples.vectors))
        self.ahead = ahead

    def forward(self, contexts: Tensor) -> Tensor:
        last = (contexts[:, -1] @ self.vectors.T).argmax(dim=1)
        return self.vectors[(last + self.ahead).clamp(0, len(self.vectors) - 1)]


class Says(nn.Module):
    """Answers with one of its contexts, or with a constant, whatever it reads."""

    def __init__(self, context: int | None) -> None:
        super().__init__()
        self.context = context

    def forward(self, contexts: Tensor) -> Tensor:
        if self.context is not None:
            return contexts[:, self.context]
        constant = torch.zeros_like(contexts[:, 0])
        constant[:, 0] = 1.0
        return constant
