"""Each model's battery, ours and the plain one in turns."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.corpora import reference_corpus
from benchmarks.figures import Figure, Note, report, spread
from benchmarks.fivecat.plain import PlainBattery, differences
from benchmarks.turns import take_turns
from lvm.data.samples import Samples
from lvm.data.sources import Corpus
from lvm.fivecat.battery import SPLITS, run_battery
from lvm.fivecat.draws import draw_permutations, draw_samples
from lvm.models import build
from lvm.models.base import LatentModel
from lvm.settings import CONTEXT_LENGTH, MODEL_TYPES, FivecatSettings, ModelType, Thresholds

FASTER, SHARE, TOLERANCE = 10.0, 60.0, 1e-5
"""× the plain battery; % of the forward-pass rate; of any number."""
PLAIN_SAMPLES, SAMPLES = 25, 512
"""A split. The plain battery is told of by the sample: more would only take longer."""
PASSES = 10
"""Predictions that a sample needs besides the rollout: one, and nine with spoilt contexts."""
BATCH_SIZES = (64, 128, 256, 512, 1024, 2048)
FORWARD_ROWS = 2048
ROUNDS = 3
ARTICLES = 400


def measure(*, models: Sequence[ModelType] = MODEL_TYPES) -> Iterator[Figure | Note]:
    with tempfile.TemporaryDirectory() as name:
        corpus = reference_corpus(Path(name), articles=ARTICLES)
        for model_type in models:
            torch.manual_seed(0)
            model = build(model_type, corpus.dim).eval()
            yield _equality(model_type, model, corpus)
            yield from _speed(model_type, model, corpus)


def plain_battery(
    model: LatentModel, val: Samples, ood: Samples, settings: FivecatSettings
) -> dict[str, dict[str, Any]]:
    """VAL and OOD as in the document of a battery, on the samples that it would draw."""
    document = {}
    for split, (label, samples) in enumerate(zip(SPLITS, (val, ood), strict=True)):
        drawn = draw_samples(len(samples), settings.max_samples, seed=settings.seed, split=split)
        orders = draw_permutations(len(drawn), seed=settings.seed, split=split)
        battery = PlainBattery(model, samples, settings.horizon)
        document[label] = battery.run(drawn, orders, Thresholds())
    return document


def _equality(model_type: ModelType, model: LatentModel, corpus: Corpus) -> Figure:
    settings = FivecatSettings(max_samples=PLAIN_SAMPLES)
    plain = plain_battery(model, corpus.val_samples, corpus.ood_samples, settings)
    ours = _battery(model, corpus, settings)
    off = {
        f"{label} {name}": by
        for label in SPLITS
        for name, by in differences(ours[label], plain[label]).items()
    }
    worst = max(off, key=lambda name: off[name])
    return Figure(
        f"5CAT {model_type}, largest difference from the plain battery",
        off[worst],
        "",
        TOLERANCE,
        beside=f"{len(off)} numbers; {worst}",
        n=f"2 × {PLAIN_SAMPLES} samples",
    )


def _speed(model_type: ModelType, model: LatentModel, corpus: Corpus) -> Iterator[Figure]:
    few, many = FivecatSettings(max_samples=PLAIN_SAMPLES), FivecatSettings(max_samples=SAMPLES)
    rows = _rows(_battery(model, corpus, many))
    best = _best_batch_size(model, corpus.dim)
    contexts = _random_contexts(FORWARD_ROWS, corpus.dim)
    turns = take_turns(
        {
            "plain": lambda: plain_battery(model, corpus.val_samples, corpus.ood_samples, few),
            "ours": lambda: _battery(model, corpus, many),
            "forward": lambda: _forward(model, contexts, best),
        },
        ROUNDS,
    )
    faster = [ratio * SAMPLES / PLAIN_SAMPLES for ratio in turns.ratios("plain", "ours")]
    yield Figure(
        f"5CAT {model_type}, × one sample at a time",
        statistics.median(faster),
        "×",
        FASTER,
        at_least=True,
        beside=f"plain {turns.median('plain') / PLAIN_SAMPLES / 2 * 1e3:.2f} ms a sample, ours "
        f"{turns.median('ours') / SAMPLES / 2 * 1e3:.2f}; pairs {spread(faster)}",
        n=f"{ROUNDS} × 2 × {PLAIN_SAMPLES} and {SAMPLES} samples, H = {many.horizon}",
    )
    share = [100 * ratio * rows / FORWARD_ROWS for ratio in turns.ratios("forward", "ours")]
    rate = FORWARD_ROWS / turns.median("forward")
    yield Figure(
        f"5CAT {model_type}, share of the pure forward-pass rate",
        statistics.median(share),
        "%",
        SHARE,
        at_least=True,
        beside=f"forward passes alone: {rate:,.0f} rows/s with {best} a batch; "
        f"pairs {spread(share)}",
        n=f"{ROUNDS} × {rows:,} rows",
    )


def _battery(model: LatentModel, corpus: Corpus, settings: FivecatSettings) -> dict[str, Any]:
    val, ood = corpus.val_samples, corpus.ood_samples
    return run_battery(model, val, ood, settings, Thresholds()).to_json()


def _rows(document: dict[str, Any]) -> int:
    """Predictions that the tests are defined by; fewer may do where some must be equal."""
    further = document["horizon"] - 1
    splits = [document[label] for label in SPLITS]
    return int(sum(split["n"] * PASSES + split["rollout_n"] * further for split in splits))


def _best_batch_size(model: LatentModel, dim: int) -> int:
    contexts = _random_contexts(FORWARD_ROWS, dim)
    turns = take_turns(
        {str(size): partial(_forward, model, contexts, size) for size in BATCH_SIZES},
        ROUNDS,
    )
    return int(min(turns.seconds, key=lambda size: min(turns.seconds[size])))


def _forward(model: LatentModel, contexts: torch.Tensor, size: int) -> None:
    with torch.inference_mode():
        for batch in contexts.split(size):
            model(batch)


def _random_contexts(rows: int, dim: int) -> torch.Tensor:
    random = np.random.default_rng(0).standard_normal((rows, CONTEXT_LENGTH, dim), np.float32)
    return nn.functional.normalize(torch.from_numpy(random), dim=-1)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fivecat")
    parser.add_argument("--models", nargs="+", choices=MODEL_TYPES, default=list(MODEL_TYPES))
    return report(measure(models=parser.parse_args(argv).models))
