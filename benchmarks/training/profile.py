"""Where the time of a step goes, and how far it is from the peak of the machine."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity

from benchmarks.figures import Figure, Note
from benchmarks.training import peak
from benchmarks.training.driven import Driven
from lvm.data.sources import Corpus
from lvm.settings import TrainSettings

BATCHES = 5
WARM_UP = 3
TOP = 6
"""Operators that are named; what the others took is their sum."""
MATMUL = (
    "aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::mkldnn_rnn_layer",
    "aten::mkldnn_rnn_layer_backward", "aten::_scaled_dot_product", "mkldnn::",
)  # fmt: skip
"""Operators that multiply matrices, by the beginnings of their names."""


def measure(
    corpus: Corpus, pairs: Sequence[tuple[TrainSettings, TrainSettings]]
) -> Iterator[Figure | Note]:
    """pairs: of each model, float32 and the fastest setting. Shares of the peak, and a table."""
    lines = [
        "| model | setting | matrix products | operators, by their own time |",
        "|---|---|---|---|",
    ]
    for fp32, fast in pairs:
        operations = peak.step_operations(fp32, corpus.dim)
        for name, settings in (("fp32", fp32), ("fast", fast)):
            with tempfile.TemporaryDirectory() as folder:
                seconds, shares = _profiled(settings, corpus, Path(folder))
            # After the trainer, which chooses the library that multiplies.
            dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
            limit = peak.measure(settings, corpus.dim, dtype)
            yield Figure(
                f"share of the matmul peak, {fp32.model}, {name}",
                100 * operations / seconds / limit.best,
                "%",
                beside=f"{operations / 1e9:.1f} GFLOP a step, {seconds * 1e3:.0f} ms; "
                f"{settings.precision} peak {limit.best / 1e9:.0f} GFLOP/s, of the model's own "
                f"shapes {limit.shapes / 1e9:.0f}",
                n=f"{BATCHES} batches",
            )
            lines.append(f"| {fp32.model} | {name} | {_in_words(shares)} |")
    yield Note("Where a training step goes", tuple(lines))


def _in_words(shares: list[tuple[str, float]]) -> str:
    multiplied = sum(share for operator, share in shares if operator.startswith(MATMUL))
    named = [f"`{operator.removeprefix('aten::')}` {share:.0%}" for operator, share in shares[:TOP]]
    rest = sum(share for _, share in shares[TOP:])
    return f"{multiplied:.0%} | {', '.join(named)}, {max(0, len(shares) - TOP)} others {rest:.0%}"


def _profiled(
    settings: TrainSettings, corpus: Corpus, folder: Path
) -> tuple[float, list[tuple[str, float]]]:
    """Seconds of a step without the profiler; operators with their share of the time in it."""
    with Driven(settings, corpus, folder) as training:
        training.run(WARM_UP)
        begun = time.perf_counter()
        training.run(BATCHES)
        seconds = (time.perf_counter() - begun) / BATCHES
        with torch.profiler.profile(activities=[ProfilerActivity.CPU]) as profiler:
            training.run(BATCHES)
    spent = {one.key: one.self_cpu_time_total for one in profiler.key_averages()}
    total = sum(spent.values())
    ordered = sorted(spent.items(), key=lambda item: -item[1])
    return seconds, [(operator, taken / total) for operator, taken in ordered]
