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
"""Leaves more than 5,000 samples each for VAL and OOD."""
EPOCHS, FIVECAT_EVERY = 20, 5
GUIDE = "the guide: 6–8 hours"
TIMES = 3


def measure() -> Iterator[Figure | Note]:
    if not torch.cuda.is_available():
        yield Note("CUDA: not run", ("No CUDA device on this machine: nothing is claimed of one.",))
        return
    device = torch.cuda.get_device_name()
    minutes = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = reference_corpus(folder, articles=ARTICLES)
        corpus = with_sequences(small, SEQUENCES, folder / "bank.f32")
        for model in MODEL_TYPES:
            epoch = _epoch_seconds(model, corpus, folder / model)
            yield Figure(
                f"CUDA, epoch of {SEQUENCES:,} sequences, {model}", epoch, "s", EPOCH_LIMIT,
                beside=device, n="the second of 2 epochs",
            )  # fmt: skip
            battery = _battery_seconds(model, corpus)
            yield Figure(
                f"CUDA, full 5CAT, {model}", battery, "s", FIVECAT_LIMIT,
                beside=device, n=f"2 × 5,000 samples, H = 5; best of {TIMES}",
            )  # fmt: skip
            minutes += (EPOCHS * epoch + EPOCHS / FIVECAT_EVERY * battery) / 60
    yield Figure(
        f"CUDA, {EPOCHS} epochs of all four with 5CAT every {FIVECAT_EVERY}, added up from these",
        minutes, "min", RETRAIN_LIMIT, beside=GUIDE,
    )  # fmt: skip


def _epoch_seconds(model: ModelType, corpus: Corpus, folder: Path) -> float:
    settings = TrainSettings(
        model=model, device="cuda", epochs=2, fivecat_every=2, fivecat_samples=50, on_severe="alert"
    ).changed(**FASTEST)
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


def _battery_seconds(model_type: ModelType, corpus: Corpus) -> float:
    model = build(model_type, corpus.dim)
    spent = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        run_battery(
            model, corpus.val_samples, corpus.ood_samples, FivecatSettings(), Thresholds(), "cuda"
        )
        spent.append(time.perf_counter() - begun)
    return min(spent)


def main(argv: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m benchmarks.cuda").parse_args(argv)
    return report(measure())


if __name__ == "__main__":
    raise SystemExit(main())
