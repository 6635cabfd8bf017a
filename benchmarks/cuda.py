"""On a CUDA device: an epoch of the 584k shape, the full 5CAT, and what a whole retrain comes to.

    python -m benchmarks.cuda

Says that it was not run where there is no such device. 438,568 sequences of 5 × 768 over a bank
that stays on the device; the second of two epochs counts, after allocation and compilation.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from benchmarks.corpora import reference_corpus, with_sequences
from benchmarks.figures import Figure, Note, report
from benchmarks.training.fastest import FASTEST
from lvm.clock import SystemClock
from lvm.data.sources import Corpus
from lvm.events import EpochFinished
from lvm.fivecat.battery import run_battery
from lvm.models import build
from lvm.settings import MODEL_TYPES, FivecatSettings, ModelType, Thresholds, TrainSettings
from lvm.training.trainer import train

EPOCH_LIMIT, FIVECAT_LIMIT, RETRAIN_LIMIT = 10.0, 2.0, 15.0
"""Seconds, seconds, minutes; on one H100."""
SEQUENCES = 438_568
ARTICLES = 2_600
SAMPLES = 5_000
"""The articles leave more than so many samples each for VAL and OOD."""
EPOCHS, FIVECAT_EVERY = 20, 5
GUIDE = "the guide: 6–8 hours"
TIMES = 3


def measure() -> Iterator[Figure | Note]:
    if not torch.cuda.is_available():
        yield Note("CUDA: not run", ("No CUDA device on this machine: nothing is claimed of one.",))
        return
    yield from measure_on("cuda", beside=torch.cuda.get_device_name())


def measure_on(
    device: str,
    *,
    beside: str,
    models: Sequence[ModelType] = MODEL_TYPES,
    dim: int = 768,
    sequences: int = SEQUENCES,
    articles: int = ARTICLES,
    samples: int = SAMPLES,
) -> Iterator[Figure]:
    """The figures of any device; smaller ones show that this script works without a GPU."""
    minutes = 0.0
    battery = FivecatSettings(max_samples=samples)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = reference_corpus(folder, dim=dim, articles=articles)
        corpus = with_sequences(small, sequences, folder / "bank.f32")
        for model in models:
            epoch = _epoch_seconds(model, corpus, folder / model, device)
            yield Figure(
                f"{device}, epoch of {sequences:,} sequences, {model}", epoch, "s", EPOCH_LIMIT,
                beside=beside, n="the second of 2 epochs",
            )  # fmt: skip
            judged = _battery_seconds(model, corpus, battery, device)
            yield Figure(
                f"{device}, full 5CAT, {model}", judged, "s", FIVECAT_LIMIT,
                beside=beside, n=f"2 × {samples:,} samples, H = {battery.horizon}; best of {TIMES}",
            )  # fmt: skip
            minutes += (EPOCHS * epoch + EPOCHS / FIVECAT_EVERY * judged) / 60
    yield Figure(
        f"{device}, {EPOCHS} epochs of {len(models)} models with 5CAT every {FIVECAT_EVERY}",
        minutes, "min", RETRAIN_LIMIT, beside=GUIDE, n="added up from the figures above",
    )  # fmt: skip


def _epoch_seconds(model: ModelType, corpus: Corpus, folder: Path, device: str) -> float:
    settings = TrainSettings(
        model=model, device=device, epochs=2, fivecat_every=2, fivecat_samples=50, on_severe="alert"
    ).changed(**FASTEST[device])
    folder.mkdir()
    seconds = float("nan")
    for event in train(
        settings,
        corpus,
        folder,
        thresholds=Thresholds(),
        control=lambda: None,
        clock=SystemClock(),
    ):
        if isinstance(event, EpochFinished):
            seconds = event.seconds
    return seconds


def _battery_seconds(
    model_type: ModelType, corpus: Corpus, settings: FivecatSettings, device: str
) -> float:
    model = build(model_type, corpus.dim)
    spent = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        val, ood = corpus.val_samples, corpus.ood_samples
        run_battery(model, val, ood, settings, Thresholds(), device)
        spent.append(time.perf_counter() - begun)
    return min(spent)


def main(argv: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m benchmarks.cuda").parse_args(argv)
    return report(measure())


if __name__ == "__main__":
    raise SystemExit(main())
