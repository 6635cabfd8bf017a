"""Whether the fastest setting ends where float32 ends: validation cosine over three seeds."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpora import reference_corpus
from benchmarks.figures import Figure
from lvm.clock import SystemClock
from lvm.data.sources import Corpus
from lvm.events import EpochFinished
from lvm.settings import ModelType, Thresholds, TrainSettings
from lvm.training.trainer import train

LIMIT = 0.003
SEEDS = (0, 1, 2)
ARTICLES = 160
BATCH_SIZE = 64
EPOCHS = 4


def measure(model: ModelType, fast: dict[str, Any]) -> Iterator[Figure]:
    """The largest difference between two runs that differ in the setting only."""
    with tempfile.TemporaryDirectory() as name:
        corpus = reference_corpus(Path(name), articles=ARTICLES)
        pairs = []
        for seed in SEEDS:
            fp32 = TrainSettings(
                model=model, seed=seed, epochs=EPOCHS, batch_size=BATCH_SIZE, device="cpu",
                fivecat_every=EPOCHS, fivecat_samples=50, on_severe="alert",
            )  # fmt: skip
            found = [
                _final_cosine(settings, corpus, Path(name, f"{seed}-{settings.precision}"))
                for settings in (fp32, fp32.changed(**fast))
            ]
            pairs.append((found[0], found[1]))
    steps = EPOCHS * -(-len(corpus.train) // BATCH_SIZE)
    yield Figure(
        f"validation cosine {model}, |fast − fp32|, worst of {len(SEEDS)} seeds",
        max(abs(exact - other) for exact, other in pairs),
        "",
        LIMIT,
        beside=f"fp32 {statistics.mean(exact for exact, _ in pairs):.4f}, differences "
        + " ".join(f"{other - exact:+.4f}" for exact, other in pairs),
        n=f"{len(SEEDS)} seeds × {steps} steps of {BATCH_SIZE}",
    )


def _final_cosine(settings: TrainSettings, corpus: Corpus, folder: Path) -> float:
    folder.mkdir()
    cosine = float("nan")
    for event in train(
        settings,
        corpus,
        folder,
        thresholds=Thresholds(),
        control=lambda: None,
        clock=SystemClock(),
    ):
        if isinstance(event, EpochFinished):
            cosine = event.val_cosine
    return cosine
