"""The made corpus that the benchmarks train and test on: its forward signal is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lvm.data.reference import read_splits, write_reference
from lvm.data.sequences import SequenceSet
from lvm.data.sources import Corpus, open_corpus
from lvm.settings import CONTEXT_LENGTH, SPLIT_SEED, DataSettings

_BLOCK = 8192


def reference_corpus(folder: Path, *, dim: int = 768, articles: int) -> Corpus:
    """`lvm reference forward`, imported, with the splits that it was made with."""
    bank = write_reference(
        "forward", folder / f"forward-{articles}.npz", dim=dim, articles=articles
    )
    val, ood = read_splits(bank)
    data = DataSettings(bank=str(bank), val_articles=val, ood_articles=ood)
    return open_corpus(data, root=folder, seed=SPLIT_SEED)


def with_sequences(corpus: Corpus, count: int, path: Path) -> Corpus:
    """`corpus` with `count` windows to train on, over as many random vectors in a new file."""
    generator = np.random.default_rng(0)
    rows = count + CONTEXT_LENGTH
    with path.open("wb") as file:
        for start in range(0, rows, _BLOCK):
            block = generator.standard_normal((min(_BLOCK, rows - start), corpus.dim), np.float32)
            block /= np.linalg.norm(block, axis=1, keepdims=True)
            file.write(block.data)
    first = np.arange(count)
    train = SequenceSet(
        name="train",
        vectors=np.memmap(path, np.float32, "r").reshape(-1, corpus.dim),
        contexts=(first[:, None] + np.arange(CONTEXT_LENGTH)).astype(np.int32),
        targets=(first + CONTEXT_LENGTH).astype(np.int32),
        article_ids=None,
        target_indices=None,
        fingerprint=str(count),
    )
    return replace(corpus, train=train)
