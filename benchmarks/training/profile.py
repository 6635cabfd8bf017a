"""Where the time of a step goes, and how far it is from the peak of the machine."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
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
TOP = 7
"""Operators that are named; what the others took is their sum."""
MATMUL = (
    "aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::mkldnn_rnn_layer",
    "aten::mkldnn_rnn_layer_backward", "aten::_scaled_dot_product", "mkldnn::",
)  # fmt: skip
"""Operators that multiply matrices, by the beginnings of their names."""


def measure(corpus: Corpus, fp32: TrainSettings, fast: TrainSettings) -> Iterator[Figure | Note]:
    """Per setting: share of the peak, and the operators that took most of the time."""
    operations = peak.step_operations(fp32, corpus.dim)
    lines = ["| setting | operator | share of a step |", "|---|---|---|"]
    for name, settings in (("fp32", fp32), ("fast", fast)):
        dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
        limit = peak.measure(settings, corpus.dim, dtype)
        with tempfile.TemporaryDirectory() as folder:
            seconds, shares = _profiled(settings, corpus, Path(folder))
        yield Figure(
            f"share of the matmul peak, {fp32.model}, {name}",
            100 * operations / seconds / limit.best,
            "%",
            beside=f"{operations / 1e9:.1f} GFLOP a step, {seconds * 1e3:.0f} ms; "
            f"{settings.precision} peak {limit.best / 1e9:.0f} GFLOP/s, of the model's own "
            f"shapes {limit.shapes / 1e9:.0f}",
            n=f"{BATCHES} batches",
        )
        multiplied = sum(share for operator, share in shares if operator.startswith(MATMUL))
        lines.append(f"| {name} | matrix products in all | {multiplied:.0%} |")
        lines += [f"| {name} | `{operator}` | {share:.0%} |" for operator, share in shares[:TOP]]
        rest = sum(share for _, share in shares[TOP:])
        lines.append(f"| {name} | {len(shares) - min(TOP, len(shares))} others | {rest:.0%} |")
    yield Note(f"Where a step of the {fp32.model} goes", tuple(lines))


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
