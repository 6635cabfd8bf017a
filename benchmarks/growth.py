"""Whether cost grows only with what it must: an epoch with its data, a redraw with nothing.

    python -m benchmarks.growth

Epochs: a GRU takes steps in turns on 10,000, 100,000 and 440,000 sequences, each with a bank of as
many vectors of 768 float32, memory-mapped, gathered from in the random order of a real epoch. The
cost of an epoch is that of its steps. Needs 1.8 GB of disk.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.corpora import reference_corpus, with_sequences
from benchmarks.dashboard import redraw
from benchmarks.figures import Figure, Note, report, spread
from benchmarks.training.driven import Driven
from benchmarks.turns import Turns, take_turns
from lvm.settings import TrainSettings

LIMIT = 5.0
"""% that the cost of an epoch may be off a straight line through the smallest size."""
SIZES = (10_000, 100_000, 440_000)
DIM = 768
WARM_UP, BATCHES, ROUNDS = 10, 5, 15


def measure() -> Iterator[Figure | Note]:
    settings = TrainSettings(model="gru", device="cpu")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        corpus = reference_corpus(folder, dim=DIM, articles=20)
        trainings = {}
        for size in SIZES:
            grown = with_sequences(corpus, size, folder / f"{size}.f32")
            driven = Driven(settings, grown, folder / str(size))
            trainings[str(size)] = stack.enter_context(driven)
            trainings[str(size)].run(WARM_UP)
        turns = take_turns(
            {size: partial(training.run, BATCHES) for size, training in trainings.items()}, ROUNDS
        )
    yield from _epochs(turns, settings)
    yield from redraw.measure(quick=True)


def _epochs(turns: Turns, settings: TrainSettings) -> Iterator[Figure]:
    base = str(SIZES[0])
    step = {size: turns.median(str(size)) / BATCHES for size in SIZES}
    for size in SIZES[1:]:
        ratios = turns.ratios(str(size), base)
        yield Figure(
            f"epoch of {size:,} sequences, off a straight line from {SIZES[0]:,}",
            100 * abs(statistics.median(ratios) - 1),
            "%",
            LIMIT,
            beside=f"{settings.model}: {step[size] * size / settings.batch_size:.0f} s an epoch; "
            f"a step {step[size] * 1e3:.1f} ms ÷ {step[SIZES[0]] * 1e3:.1f}, "
            f"pairs {spread(ratios)}",
            n=f"{ROUNDS} × {BATCHES} steps",
        )


def main(argv: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m benchmarks.growth").parse_args(argv)
    return report(measure())


if __name__ == "__main__":
    raise SystemExit(main())
