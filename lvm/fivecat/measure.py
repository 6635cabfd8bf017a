"""One split measured: which samples, all forward passes in batches, and the means of it all.

A sample counts in every test that it can be measured by. The offset test leaves out samples that
lack the chunk at any of its seven offsets, so that the means at different k are over the same
samples; the rollout those with fewer than H chunks to come; retrieval those of short articles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lvm.data.samples import Samples
from lvm.errors import DataError
from lvm.fivecat import ablations, bins, gates, retrieval
from lvm.fivecat.draws import draw_permutations, draw_samples
from lvm.fivecat.gates import OFFSETS, rounded
from lvm.fivecat.offsets import Neighbours, cosines, neighbours
from lvm.fivecat.rollout import roll_out
from lvm.models.predict import Predictor, as_tensor
from lvm.settings import CONTEXT_LENGTH, FivecatSettings, Thresholds


@dataclass(frozen=True)
class Plan:
    """What will be measured on one split."""

    label: str
    """VAL | OOD."""
    samples: Samples
    settings: FivecatSettings
    chosen: npt.NDArray[np.int64]
    """(n,) the drawn samples."""
    orders: npt.NDArray[np.int64]
    """(n, 5) the shuffle of each."""
    around: Neighbours
    """At k = −3…+3."""
    ahead: Neighbours
    """At k = +1…+H."""

    @property
    def passes(self) -> int:
        """Rows that will go through the model."""
        further = int(self.ahead.complete.sum()) * (self.settings.horizon - 1)
        return len(self.chosen) * (1 + ablations.PASSES) + further


def plan(label: str, samples: Samples, settings: FivecatSettings, split: int) -> Plan:
    """Draw the samples. Raises DataError when a test would have none to measure."""
    if len(samples) == 0:
        reasons = ", ".join(f"{reason}: {n}" for reason, n in samples.skipped.items())
        raise DataError(
            f"no usable samples ({reasons or 'the split is empty'})",
            where=label,
            fix="check that the sequences and the article bank belong together",
        )
    chosen = draw_samples(len(samples), settings.max_samples, seed=settings.seed, split=split)
    steps = range(1, settings.horizon + 1)
    made = Plan(
        label=label,
        samples=samples,
        settings=settings,
        chosen=chosen,
        orders=draw_permutations(len(chosen), seed=settings.seed, split=split),
        around=neighbours(samples, chosen, OFFSETS, settings.offset_origin),
        ahead=neighbours(samples, chosen, steps, settings.offset_origin),
    )
    _require_usable(made, made.around, "offset test", OFFSETS[-1])
    _require_usable(made, made.ahead, "rollout", settings.horizon)
    return made


def _require_usable(made: Plan, around: Neighbours, test: str, last: int) -> None:
    if around.complete.any():
        return
    chunks = CONTEXT_LENGTH + last + (made.settings.offset_origin == "target")
    fix = f"use articles of {chunks} chunks and more"
    if test == "rollout":
        fix += ", or a smaller horizon"
    if len(made.chosen) < len(made.samples):
        fix += ", or draw more samples"
    raise DataError(
        f"none of {len(made.chosen)} samples has all the chunks that the {test} needs",
        where=made.label,
        fix=fix,
    )


def _article_lengths(made: Plan) -> npt.NDArray[np.int64]:
    lengths = np.asarray(made.samples.article_ends) - np.asarray(made.samples.article_starts)
    return np.asarray(lengths[made.chosen], np.int64)


class Measurement:
    """The numbers of every drawn sample, filled in by `run`."""

    def __init__(self, made: Plan) -> None:
        self.plan = made
        count = len(made.chosen)
        self.cos = np.zeros((count, len(OFFSETS)))
        """At each offset; meaningful for samples that have all of them."""
        self.to_target = np.zeros(count)
        self.ranks = np.zeros((count, 2), np.int64)
        self.changes = {name: np.zeros(count) for name in ablations.NAMES}
        self.steps = np.zeros((count, made.settings.horizon))
        """Cosine of each rollout step; meaningful for samples that have all H chunks."""
        self.coherence = np.zeros(count)
        self._outputs = np.zeros(made.samples.dim)
        self._targets = np.zeros(made.samples.dim)

    def run(self, predict: Predictor) -> Iterator[tuple[str, int]]:
        """Measure; yields (test, rows that went through the model) after each batch of each."""
        count, size = len(self.plan.chosen), self.plan.settings.batch_size
        for start in range(0, count, size):
            yield from self._batch(predict, np.arange(start, min(start + size, count)))

    def _batch(
        self, predict: Predictor, members: npt.NDArray[np.int64]
    ) -> Iterator[tuple[str, int]]:
        samples, chosen = self.plan.samples, self.plan.chosen[members]
        contexts = as_tensor(samples.context_vectors[samples.contexts[chosen]], predict.device)
        targets = np.asarray(samples.target_rows, np.int64)[chosen]
        truth = as_tensor(samples.vectors[targets], predict.device)
        base = predict(contexts)
        around = self.plan.around
        rows = np.where(around.exist[members], around.rows[members], targets[:, None])
        self.cos[members] = cosines(base, samples.vectors, rows)
        self.to_target[members] = _cosine(base, truth)
        self.coherence[members] = bins.coherence(contexts)
        self._outputs += _sum(base)
        self._targets += _sum(truth)
        yield "offset", len(members)

        self.ranks[members] = retrieval.ranks(base, samples, chosen)
        yield "retrieval", 0

        for name, spoilt in ablations.variants(contexts, self.plan.orders[members]):
            change = _cosine(predict(spoilt), truth) - self.to_target[members]
            share = 1 / ablations.LEFT_OUT if name == "leave_one_out" else 1.0
            self.changes[name][members] += share * change
            yield "ablations", len(members)

        lasting = self.plan.ahead.complete[members]
        members, ahead = members[lasting], self.plan.ahead.rows[members[lasting]]
        if len(members) == 0:
            return
        kept = torch.from_numpy(np.flatnonzero(lasting)).to(predict.device)
        contexts, base = contexts[kept], base[kept]
        self.steps[members, 0] = cosines(base, samples.vectors, ahead[:, :1])[:, 0]
        further = roll_out(predict, contexts, base, self.plan.settings.horizon)
        for step, prediction in enumerate(further, start=1):
            found = cosines(prediction, samples.vectors, ahead[:, step : step + 1])
            self.steps[members, step] = found[:, 0]
            yield "rollout", len(members)

    # -------------------------------------------------------------- means

    def counts(self) -> dict[str, Any]:
        """How many samples were asked for, drawn, used, and left out of which test, and why."""
        settings = self.plan.settings
        left_out = {
            f"offset test: no chunk at some k of −{-OFFSETS[0]}…+{OFFSETS[-1]}": (
                ~self.plan.around.complete
            ),
            f"rollout: fewer than {settings.horizon} chunks follow": ~self.plan.ahead.complete,
            f"retrieval: article of fewer than {retrieval.MIN_CHUNKS} chunks": (
                _article_lengths(self.plan) < retrieval.MIN_CHUNKS
            ),
        }
        counted = {reason: int(members.sum()) for reason, members in left_out.items()}
        return {
            "asked": settings.max_samples,
            "available": len(self.plan.samples),
            "drawn": len(self.plan.chosen),
            "used": int(self.plan.around.complete.sum()),
            "skipped": dict(self.plan.samples.skipped) | {k: n for k, n in counted.items() if n},
        }

    def numbers(self, thresholds: Thresholds) -> dict[str, Any]:
        """The split's part of the 5CAT document."""
        measured = self.plan.around.complete
        table = {
            k: rounded(float(mean))
            for k, mean in zip(OFFSETS, self.cos[measured].mean(axis=0), strict=True)
        }
        count = len(self.plan.chosen)
        outputs_alike = float(np.square(self._outputs / count).sum())
        targets_alike = float(np.square(self._targets / count).sum())
        collapsed = gates.is_collapsed(outputs_alike, targets_alike)
        reading = gates.read_margin(table, collapsed, thresholds, self.plan.settings.offset_origin)
        steps = self.steps[self.plan.ahead.complete].mean(axis=0)
        found: dict[str, Any] = {
            "n": count,
            "cos": {str(k): mean for k, mean in table.items()},
            "offset_n": int(measured.sum()),
            "margin": reading.margin,
            "best_offset": reading.best_offset,
            "level": reading.level,
            "words": reading.words,
            "message": reading.message,
            "collapsed": collapsed,
            "outputs_alike": outputs_alike,
            "targets_alike": targets_alike,
            "target_cos": float(self.to_target.mean()),
            **retrieval.summarise(self.ranks),
            **{name: float(change.mean()) for name, change in self.changes.items()},
            "rollout": float(steps.mean()),
            "rollout_steps": [rounded(float(step)) for step in steps],
            "rollout_n": int(self.plan.ahead.complete.sum()),
            **bins.summarise(self.coherence, self.to_target, thresholds),
        }
        return {
            name: rounded(value) if isinstance(value, float) else value
            for name, value in found.items()
        }


def _cosine(predictions: Tensor, truth: Tensor) -> npt.NDArray[np.float64]:
    with torch.inference_mode():
        return (predictions * truth).sum(dim=1).cpu().numpy().astype(np.float64)


def _sum(rows: Tensor) -> npt.NDArray[np.float64]:
    with torch.inference_mode():
        return rows.sum(dim=0).cpu().numpy().astype(np.float64)
