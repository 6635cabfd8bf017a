"""The parts of the training benchmark for each model, and their figures."""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.corpora import reference_corpus
from benchmarks.figures import Figure, Note, report
from benchmarks.training import equality, profile, speed
from benchmarks.training.fastest import FASTEST
from benchmarks.training.plain import Inflated
from lvm.settings import MODEL_TYPES, ModelType, TrainSettings

ONLY = ("speed", "profile", "equality")
ARTICLES = 600
"""About 11,000 sequences, 200 MB inflated: far more than any cache of a processor holds."""


def measure(
    *,
    models: Sequence[ModelType] = MODEL_TYPES,
    only: Sequence[str] = ONLY,
    fast: dict[str, Any] | None = None,
) -> Iterator[Figure | Note]:
    changes = FASTEST["cpu"] if fast is None else fast
    settings = [TrainSettings(model=model, device="cpu") for model in models]
    pairs = [(fp32, fp32.changed(**changes)) for fp32 in settings]
    with tempfile.TemporaryDirectory() as name:
        corpus = reference_corpus(Path(name), articles=ARTICLES)
        if "speed" in only:
            inflated = Inflated(corpus.train)
            for fp32, fastest in pairs:
                yield from speed.measure(corpus, inflated, fp32, fastest)
            del inflated
        if "profile" in only:
            yield from profile.measure(corpus, pairs)
    if "equality" in only:
        for model in models:
            yield from equality.measure(model, changes)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("--models", nargs="+", choices=MODEL_TYPES, default=list(MODEL_TYPES))
    parser.add_argument("--only", nargs="+", choices=ONLY, default=list(ONLY))
    parser.add_argument(
        "--fast", nargs="+", type=_change, metavar="NAME=VALUE", help="settings of the fastest form"
    )
    options = parser.parse_args(argv)
    fast = dict(options.fast) if options.fast else None
    return report(measure(models=options.models, only=options.only, fast=fast))


def _change(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    known = [item.name for item in dataclasses.fields(TrainSettings)]
    if name not in known:
        raise argparse.ArgumentTypeError(f"no setting {name!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
