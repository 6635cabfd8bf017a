"""Batches a second: the plain loop, ours in float32, ours in its fastest setting, in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from benchmarks.figures import Figure, spread
from benchmarks.training.driven import Driven
from benchmarks.training.plain import Inflated, PlainLoop
from benchmarks.turns import take_turns
from lvm.data.sources import Corpus
from lvm.models import build
from lvm.settings import ModelType, TrainSettings
from lvm.training.device import choose_device

TARGETS: dict[ModelType, tuple[float, float]] = {
    "transformer": (1.15, 3.0),
    "gru": (1.15, 2.5),
    "lstm": (1.15, 3.0),
    "amn": (1.5, 2.0),
}
"""× the plain loop, in float32 and in the fastest setting."""

ROUNDS = 5
TURN_SECONDS = 1.0
"""A turn of the plain loop takes about so long; the others do as many batches."""
WARM_UP = 3
"""Batches that are not counted: allocation, and compilation where it is asked for."""


def measure(
    corpus: Corpus, inflated: Inflated, fp32: TrainSettings, fast: TrainSettings
) -> Iterator[Figure]:
    """Two figures, for the model that both settings name."""
    device, _ = choose_device(fp32.device)
    torch.manual_seed(fp32.seed)
    model = build(fp32.model, corpus.dim, d_model=fp32.d_model, hidden_dim=fp32.hidden_dim)
    plain = PlainLoop(model, inflated, fp32, device)
    with (
        tempfile.TemporaryDirectory() as folder,
        Driven(fp32, corpus, Path(folder, "fp32")) as ours,
        Driven(fast, corpus, Path(folder, "fast")) as fastest,
    ):
        loops = {"plain": plain.run, "fp32": ours.run, "fast": fastest.run}
        for run in loops.values():
            run(WARM_UP)
        batches = _batches_a_turn(plain)
        turns = take_turns({name: partial(run, batches) for name, run in loops.items()}, ROUNDS)
    for name, target in zip(("fp32", "fast"), TARGETS[fp32.model], strict=True):
        ratios = turns.ratios("plain", name)
        milliseconds = {key: turns.median(key) / batches * 1e3 for key in ("plain", name)}
        yield Figure(
            f"training {fp32.model}, {name}",
            turns.ratio("plain", name),
            "×",
            target,
            at_least=True,
            beside=f"plain loop: {milliseconds['plain']:.1f} ms a batch, "
            f"ours {milliseconds[name]:.1f}; pairs {spread(ratios)}",
            n=f"{ROUNDS} × {batches} batches",
        )


def _batches_a_turn(plain: PlainLoop) -> int:
    turns = take_turns({"one": partial(plain.run, 1)}, 3)
    return max(2, round(TURN_SECONDS / turns.median("one")))
