"""The made corpus that the benchmarks train and test on: its forward signal is known."""

from __future__ import annotations

from pathlib import Path

from lvm.data.reference import read_splits, write_reference
from lvm.data.sources import Corpus, open_corpus
from lvm.settings import SPLIT_SEED, DataSettings


def reference_corpus(folder: Path, *, dim: int = 768, articles: int) -> Corpus:
    """`lvm reference forward`, imported, with the splits that it was made with."""
    bank = write_reference(
        "forward", folder / f"forward-{articles}.npz", dim=dim, articles=articles
    )
    val, ood = read_splits(bank)
    data = DataSettings(bank=str(bank), val_articles=val, ood_articles=ood)
    return open_corpus(data, root=folder, seed=SPLIT_SEED)
