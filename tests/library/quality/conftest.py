"""Tiny articles whose direction and dynamics are known, made in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from lvm.data.samples import Samples
from lvm.data.sequences import SequenceSet

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def unit(rows: npt.NDArray[np.floating]) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def walking_articles(
    articles: int = 40, length: int = 20, dim: int = 24, *, seed: int = 0, step: float = 0.8
) -> tuple[Floats, Ints]:
    """Each chunk is its article's topic plus a state that drifts at random: (rows, articles)."""
    rng = np.random.default_rng(seed)
    rows, ids = [], []
    for article in range(articles):
        topic, state = unit(rng.normal(size=(2, dim)))
        for _ in range(length):
            state = unit(state + step * unit(rng.normal(size=dim)))
            rows.append(0.7 * topic + state + 0.3 * unit(rng.normal(size=dim)))
            ids.append(article)
    return unit(np.array(rows)), np.array(ids)


def turning_articles(
    articles: int = 40,
    length: int = 20,
    planes: int = 6,
    *,
    seed: int = 0,
    noise: float = 0.35,
    topic: float = 0.6,
    first: int = 0,
) -> tuple[Floats, Ints]:
    """True forward dynamics: a state turned at each step by the same rotations, plus topic, noise.

    The rotations come from a fixed seed, so that splits made by two calls share them.
    """
    angles = np.random.default_rng(99).uniform(0.4, 1.6, planes)
    cos, sin = np.cos(angles), np.sin(angles)
    rng = np.random.default_rng(seed)
    rows, ids = [], []
    for article in range(articles):
        theme = topic * unit(rng.normal(size=2 * planes))
        x, y = unit(rng.normal(size=2 * planes)).reshape(2, planes)
        for _ in range(length):
            x, y = cos * x - sin * y, sin * x + cos * y
            state = np.concatenate([x, y, theme])
            rows.append(state + noise * unit(rng.normal(size=4 * planes)))
            ids.append(first + article)
    return unit(np.array(rows)), np.array(ids)


def windows_of(vectors: Floats, ids: Ints, name: str = "train") -> SequenceSet:
    starts = np.arange(len(ids) - 5)
    starts = starts[ids[starts] == ids[starts + 5]]
    return sequence_set(vectors, starts[:, None] + np.arange(5), starts + 5, ids[starts], name)


def sequence_set(
    vectors: Floats, contexts: Ints, targets: Ints, ids: Ints | None = None, name: str = "train"
) -> SequenceSet:
    return SequenceSet(
        name=name,
        vectors=vectors,
        contexts=contexts.astype(np.int32),
        targets=targets.astype(np.int32),
        article_ids=ids,
        target_indices=None,
        fingerprint="0" * 64,
        source=f"{name}.npz",
    )


def samples_of(vectors: Floats, ids: Ints, name: str = "VAL") -> Samples:
    windows = windows_of(vectors, ids)
    assert windows.article_ids is not None
    return Samples(
        name=name,
        vectors=vectors,
        context_vectors=vectors,
        contexts=windows.contexts,
        target_rows=windows.targets,
        article_starts=np.searchsorted(ids, windows.article_ids, "left"),
        article_ends=np.searchsorted(ids, windows.article_ids, "right"),
    )


class Corpora:
    """The makers above, for tests that cannot import their neighbour."""

    walking_articles = staticmethod(walking_articles)
    turning_articles = staticmethod(turning_articles)
    windows_of = staticmethod(windows_of)
    sequence_set = staticmethod(sequence_set)
    samples_of = staticmethod(samples_of)


@pytest.fixture(name="corpora", scope="session")
def _corpora() -> type[Corpora]:
    return Corpora
