"""Before hours are spent: baselines, the linear frontier, and a verdict on each gate of 5CAT.

    lvm diagnose bank.npz          # prints this, in seconds

Everything is fitted on training articles, tuned on a tenth of them that the fit did not see, and
reported on VAL and OOD, which neither saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lvm.clock import Clock, SystemClock
from lvm.data.progress import Progress, quiet
from lvm.data.samples import Samples
from lvm.data.sequences import IntArray, SequenceSet, following_rows
from lvm.errors import DataError
from lvm.quality.baselines import BASELINES, LABELS, copy_last, mean_of_contexts
from lvm.quality.direction import wrapped
from lvm.quality.frontier import TARGET as TARGET_OFFSET
from lvm.quality.frontier import (
    TRADES,
    Basis,
    Point,
    Tables,
    best_margin,
    complete,
    margin_of,
    pareto,
    tables_of_samples,
    tables_of_sequences,
    trace,
)
from lvm.quality.ridge import (
    AffineMap,
    Float64,
    accumulate,
    choose_alpha,
    draw,
    split_for_tuning,
)
from lvm.quality.verdicts import Reach, Verdict, judge_measured, judge_offset, not_measured
from lvm.settings import CONTEXT_LENGTH, Thresholds

if TYPE_CHECKING:
    from torch import nn

Measure = Callable[["nn.Module"], Mapping[str, Any]]
"""Runs 5CAT on a predictor and returns its JSON document (spec/fivecat.md)."""

MAX_TRAIN = 40_000
"""Training samples: more than ten for each of 768-D ridge's 3,840 coefficients per output."""
MAX_SAMPLES = 1_500
"""VAL and OOD samples of the frontier."""
SMOOTHER = 10.0
"""The basis holds each regression at α and at so many times α: the smoother one trades better."""
AHEAD = 3
"""Regressions to k = +1, +2 and +3."""
OTHER_GATES = ("retrieval", "ablations", "rollout", "bins")
_NUMBERS = (
    "margin",
    "r1",
    "r5",
    "mrr",
    "shuffled",
    "reversed",
    "leave_one_out",
    "repeat_last",
    "cross_article",
    "rollout",
)


@dataclass(frozen=True)
class Baseline:
    """A baseline's numbers on both splits."""

    numbers: dict[str, dict[str, float | None]]
    """Split → name → value; "cos" is at k = +1."""
    gates: dict[str, bool] | None
    """5CAT's verdicts, or None if only cosines were measured."""
    alpha: float | None = None

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = dict(self.numbers)
        if self.gates is not None:
            document["gates"] = self.gates
            document["passed"] = sum(self.gates.values())
        if self.alpha is not None:
            document["alpha"] = self.alpha
        return document


@dataclass(frozen=True)
class Forecast:
    """What can be reached on some data, and what is reached without any learning."""

    baselines: dict[str, Baseline]
    frontier: tuple[Point, ...]
    """Highest VAL cosine first, margins rising."""
    gates: dict[str, Verdict]
    samples: dict[str, int]
    """How many were used: "fit", "tune", "VAL", "OOD"."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        points = [
            {
                "cos": point.cos("VAL"),
                "margin": point.margin("VAL"),
                "ood_cos": point.cos("OOD"),
                "ood_margin": point.margin("OOD"),
                "lambda": point.trade,
            }
            for point in self.frontier
        ]
        return {
            "baselines": {name: one.to_json() for name, one in self.baselines.items()},
            "frontier": points,
            "gates": {name: verdict.to_json() for name, verdict in self.gates.items()},
            "samples": dict(self.samples),
            "seconds": self.seconds,
        }


def forecast(
    train: SequenceSet,
    val: Samples,
    ood: Samples,
    thresholds: Thresholds,
    *,
    measure: Measure | None = None,
    seed: int = 0,
    max_train: int = MAX_TRAIN,
    max_samples: int = MAX_SAMPLES,
    clock: Clock | None = None,
    progress: Progress = quiet,
) -> Forecast:
    """Fit, trace the frontier, judge.

    Without `measure` only cosines and margins are known, and the gates other than "offset" are
    "unknown". `measure` must count its offsets from the last context. Raises DataError for fewer
    than 20 training samples, and where no sample of VAL or OOD has a chunk at every offset.
    """
    clock = clock or SystemClock()
    began = clock.monotonic()
    rng = np.random.default_rng(seed)
    drawn = {
        name: draw(_usable(samples), max_samples, rng)
        for name, samples in (("VAL", val), ("OOD", ood))
    }
    fit, tune = split_for_tuning(train, rng, max_train)
    following = following_rows(train)
    equations = accumulate(train, fit, ahead=AHEAD, following=following, progress=progress)
    alpha = choose_alpha(equations, *train.gather(tune), progress=progress)
    known = sum(count > 0 for count in equations.counts)
    maps = equations.solve(alpha, known) + equations.solve(alpha * SMOOTHER, known)
    basis = Basis(tuple(maps), equations.mean_targets[0].astype(np.float32))

    progress("frontier", 0, 1)
    tables = {
        "VAL": tables_of_samples(basis, val, drawn["VAL"]),
        "OOD": tables_of_samples(basis, ood, drawn["OOD"]),
    }
    found = trace(tables_of_sequences(basis, train, tune, following))
    points = [_point(trade, each, tables) for trade, each in zip(TRADES, found, strict=True)]
    frontier = pareto(points, "VAL")
    progress("frontier", 1, 1)

    documents: dict[str, Mapping[str, Any]] = {}
    if measure is not None:
        models = _models(maps[0])
        models |= {
            f"frontier {point.trade:g}": _linear(basis.combined(point.coefficients))
            for point in _worth_measuring(frontier, thresholds)
        }
        for number, (name, model) in enumerate(models.items()):
            progress("5CAT of baselines", number, len(models))
            documents[name] = measure(model)
        progress("5CAT of baselines", len(models), len(models))
    return Forecast(
        baselines={
            name: _baseline(name, documents.get(name), tables, len(basis), alpha)
            for name in BASELINES
        },
        frontier=tuple(frontier),
        gates=_gates(points, list(documents.values()), thresholds),
        samples={"fit": len(fit), "tune": len(tune)} | {k: len(v) for k, v in drawn.items()},
        seconds=clock.monotonic() - began,
    )


def render_forecast(found: Forecast) -> list[str]:
    """The forecast as lines for a terminal of 80 columns, without colour; a "?" is "unknown"."""
    lines = [f"baselines{'':15}VAL cos  margin    OOD cos  margin"]
    for name, one in found.baselines.items():
        cells = "    ".join(
            f"{_number(one.numbers[split]['cos'], '7.3f')}  "
            f"{_number(one.numbers[split]['margin'], '+6.3f')}"
            for split in ("VAL", "OOD")
        )
        alpha = f"   (α = {one.alpha:.3g})" if one.alpha is not None else ""
        lines.append(f"  {LABELS[name]:<22}{cells}{alpha}")
    lines.append("what linear predictors can trade")
    for point in _spread(found.frontier):
        lines.append(
            f"  λ = {point.trade:<18g}{point.cos('VAL'):7.3f}  {point.margin('VAL'):+6.3f}"
            f"    {point.cos('OOD'):7.3f}  {point.margin('OOD'):+6.3f}"
        )
    lines.append(f"forecast, before any training ({found.seconds:.0f} s)")
    mark = {"within reach": "✓", "out of reach": "✗", "unknown": "?"}
    for name, verdict in found.gates.items():
        lines.append(f"  {mark[verdict.answer]} {name:<10} {verdict.answer}")
        lines += wrapped(verdict.words, "      ")
    return lines


def _usable(samples: Samples) -> IntArray:
    usable = complete(samples)
    if len(usable) == 0:
        raise DataError(
            f"none of the {len(samples)} {samples.name} samples has two chunks after its target",
            fix="give this split longer articles: an offset test takes eight chunks in a row",
        )
    return usable


def _number(value: float | None, form: str) -> str:
    return "not measured" if value is None else format(value, form)


def _spread(points: Sequence[Point], most: int = 6) -> list[Point]:
    if len(points) <= most:
        return list(points)
    chosen = np.linspace(0, len(points) - 1, most).round().astype(int)
    return [points[int(number)] for number in chosen]


def _point(trade: float, coefficients: Float64, tables: Mapping[str, Tables]) -> Point:
    cosines = {split: table.cosines(coefficients) for split, table in tables.items()}
    return Point(trade, cosines, coefficients)


def _models(ridge: AffineMap) -> dict[str, nn.Module]:
    return {"copy_last": copy_last(), "mean": mean_of_contexts(), "ridge": _linear(ridge)}


def _linear(one: AffineMap) -> nn.Module:
    from lvm.quality.predictors import LinearPredictor

    return LinearPredictor(one.weight, one.bias)


def _worth_measuring(frontier: Sequence[Point], thresholds: Thresholds) -> list[Point]:
    """Where the cosine is greatest, where the margin is while the cosine still passes, between."""
    enough = [
        point
        for point in frontier
        if point.cos("VAL") >= thresholds.cos_val and point.cos("OOD") >= thresholds.cos_ood
    ]
    last = enough or frontier
    wanted = [frontier[0], last[len(last) // 2], last[-1]]
    return list({point.trade: point for point in wanted}.values())


def _baseline(
    name: str,
    document: Mapping[str, Any] | None,
    tables: Mapping[str, Tables],
    size: int,
    alpha: float,
) -> Baseline:
    chosen = alpha if name == "ridge" else None
    if document is None:
        cosines = {
            split: table.cosines(_coefficients(name, size)) for split, table in tables.items()
        }
        numbers = {
            split: {"cos": float(each[TARGET_OFFSET]), "margin": margin_of(each)}
            for split, each in cosines.items()
        }
        return Baseline({k: dict(v) for k, v in numbers.items()}, None, chosen)
    measured = {
        split: {"cos": document[split]["cos"]["1"]}
        | {key: document[split][key] for key in _NUMBERS}
        for split in ("VAL", "OOD")
    }
    return Baseline(measured, dict(document["gates"]), chosen)


def _coefficients(name: str, size: int) -> Float64:
    """A baseline as a combination of the basis: contexts first, then ridge."""
    coefficients = np.zeros(size)
    if name == "copy_last":
        coefficients[CONTEXT_LENGTH - 1] = 1.0
    elif name == "mean":
        coefficients[:CONTEXT_LENGTH] = 1.0
    else:
        coefficients[CONTEXT_LENGTH] = 1.0
    return coefficients


def _gates(
    points: Sequence[Point], documents: Sequence[Mapping[str, Any]], thresholds: Thresholds
) -> dict[str, Verdict]:
    needs = {
        "VAL": (thresholds.cos_val, thresholds.margin_val),
        "OOD": (thresholds.cos_ood, thresholds.margin_ood),
    }
    reaches = [
        Reach(
            split,
            cos,
            margin,
            best_cos=max(point.cos(split) for point in points),
            best_margin=best_margin(points, split, cos),
        )
        for split, (cos, margin) in needs.items()
    ]
    passed = any(
        all(
            point.cos(split) >= cos and point.margin(split) >= margin
            for split, (cos, margin) in needs.items()
        )
        for point in points
    )
    verdicts = {"offset": judge_offset(reaches, passed=passed)}
    for gate in OTHER_GATES:
        verdicts[gate] = judge_measured(gate, documents) if documents else not_measured()
    return verdicts
