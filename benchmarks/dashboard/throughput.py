"""What the dashboard takes from a training in its own process: the same job with and without."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.dashboard.program import Program
from benchmarks.dashboard.workshop import batches_per_second, make_project, train_headless
from benchmarks.figures import Figure

LIMIT = 0.97
PAIRS, QUICK_PAIRS = 5, 1
SECONDS, QUICK_SECONDS = 25.0, 12.0
MODELS = ("gru", "transformer")


def measure(*, quick: bool) -> Iterator[Figure]:
    seconds = QUICK_SECONDS if quick else SECONDS
    for model in MODELS[: 1 if quick else None]:
        rates: dict[bool, list[float]] = {True: [], False: []}
        for pair in range(QUICK_PAIRS if quick else PAIRS):
            for shown in (True, False) if pair % 2 else (False, True):
                rates[shown].append(_rate(model, seconds, shown=shown))
        ratio = statistics.median(rates[True]) / statistics.median(rates[False])
        pairs = [a / b for a, b in zip(rates[True], rates[False], strict=True)]
        beside = (
            f"{statistics.median(rates[True]):.1f} of {statistics.median(rates[False]):.1f} "
            f"batches/s; pairs {' '.join(f'{each:.3f}' for each in pairs)}"
        )
        name = f"throughput with dashboard ÷ headless, {model}"
        yield Figure(name, ratio, "", LIMIT, at_least=True, beside=beside)


def _rate(model: str, seconds: float, *, shown: bool) -> float:
    """Batches a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder, model=model)
        if shown:
            with Program("lvm_tui", folder=folder) as program:
                program.take(seconds)
        else:
            train_headless(folder, seconds)
        return batches_per_second(folder)
