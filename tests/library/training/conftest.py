"""A tiny corpus with real forward dynamics: articles that turn by a fixed rotation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lvm.data.bank import write_bank_npz
from lvm.data.sources import Corpus, open_corpus
from lvm.settings import DataSettings

DIM = 16


def write_turning_articles(path: Path, articles: int = 40, chunks: int = 14) -> Path:
    """Each vector is the one before, turned by fixed angles, plus a little noise."""
    random = np.random.default_rng(7)
    angles = random.uniform(0.3, 1.2, DIM // 2)
    rows = []
    for _ in range(articles):
        state = random.normal(size=DIM // 2) + 1j * random.normal(size=DIM // 2)
        for step in range(chunks):
            turned = state * np.exp(1j * angles * step)
            rows.append(np.concatenate([turned.real, turned.imag]) + random.normal(size=DIM) * 0.1)
    vectors = np.asarray(rows, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    write_bank_npz(
        path,
        vectors,
        np.repeat(np.arange(articles), chunks),
        np.tile(np.arange(chunks), articles),
    )
    return path


@pytest.fixture(scope="session")
def bank_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_turning_articles(tmp_path_factory.mktemp("data") / "turning.npz")


@pytest.fixture(scope="session")
def corpus(bank_path: Path) -> Corpus:
    return open_corpus(DataSettings(bank=str(bank_path)), root=bank_path.parent, seed=0)
