"""How far linear predictors can trade cosine at k = +1 for margin on some data.

Why a handful of vectors is enough. For weights w on the rivals (the offsets other than +1), the
predictor p(x), of unit length, with the greatest mean of cos(p, c₊₁) − λ·Σ w_k cos(p, c_k) is the
direction of E[c₊₁|x] − λ·Σ w_k E[c_k|x]. And the best for the greatest rival instead of a given w
is the best for the worst w. So each point of the frontier is one fixed combination of

    the five contexts, which are c₋₄ … c₀ themselves, and E[c₊₁|x], E[c₊₂|x], E[c₊₃|x],

whatever the model. Here the expectations are ridge regressions, at two strengths each, and the
mean vector is added; the twelve coefficients are found by gradient ascent, for λ from 0 (cosine
alone) to 1 (margin alone), on tables of dot products: no prediction is made again. A network can
beat the frontier only by better expectations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lvm.data.samples import Samples
from lvm.data.sequences import IntArray, SequenceSet
from lvm.quality.ridge import TINY, AffineMap, Float32, Float64
from lvm.settings import CONTEXT_LENGTH

if TYPE_CHECKING:
    from torch import Tensor

OFFSETS: tuple[int, ...] = (-3, -2, -1, 0, 1, 2, 3)
"""k from the last context; k = +1 is the target (spec/fivecat.md)."""
TARGET = OFFSETS.index(1)
RIVALS: tuple[int, ...] = tuple(i for i in range(len(OFFSETS)) if i != TARGET)
TRADES: tuple[float, ...] = tuple(round(0.05 * i, 2) for i in range(21))
"""λ: 0 asks for the cosine alone, 1 for the margin alone."""
SHARPNESS = 0.003
"""Temperature of the soft maximum over the rivals, in cosine."""
STEPS = 30
"""Gradient steps from one λ to the next; the tables are small, the steps take milliseconds."""
BLOCK_ROWS = 512


@dataclass(frozen=True)
class Basis:
    """The vectors that are combined, each an affine function of the contexts."""

    maps: tuple[AffineMap, ...]
    mean: Float32
    """(D,)."""

    def __len__(self) -> int:
        return CONTEXT_LENGTH + len(self.maps) + 1

    def __call__(self, contexts: Float32) -> Float32:
        """(n, 5, D) → (n, len(self), D)."""
        mapped = [one(contexts) for one in self.maps]
        constant = np.broadcast_to(self.mean, (len(contexts), len(self.mean)))
        parts = [contexts, *(part[:, None] for part in (*mapped, constant))]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def combined(self, coefficients: Float64) -> AffineMap:
        """The one affine map that a combination amounts to."""
        dim = len(self.mean)
        own, rest = coefficients[:CONTEXT_LENGTH], coefficients[CONTEXT_LENGTH:]
        weight = np.kron(own[:, None], np.eye(dim))
        bias = rest[-1] * self.mean.astype(np.float64)
        for coefficient, one in zip(rest, self.maps, strict=False):
            weight += coefficient * one.weight
            bias += coefficient * one.bias
        return AffineMap(weight.astype(np.float32), bias.astype(np.float32))


@dataclass(frozen=True)
class Tables:
    """Per sample the dot products from which all cosines of all combinations follow."""

    gram: Float64
    """(n, B, B) of the basis vectors with one another."""
    dots: Float64
    """(n, B, 7) of the basis vectors with the chunks at each offset; 0 where there is none."""
    known: Float64
    """(n, 7) 1 where the article has that chunk, else 0."""

    def cosines(self, coefficients: Float64) -> Float64:
        """(7,) mean cosine at each offset; NaN where no sample has that chunk."""
        import torch

        means = _TorchTables(self).cosines(torch.from_numpy(coefficients)).numpy()
        return np.where(self.known.any(axis=0), means, np.nan)


@dataclass(frozen=True)
class Point:
    """One linear predictor of the frontier."""

    trade: float
    """λ."""
    cosines: dict[str, Float64]
    """Split → (7,) mean cosine at each offset."""
    coefficients: Float64

    def cos(self, split: str) -> float:
        return float(self.cosines[split][TARGET])

    def margin(self, split: str) -> float:
        return margin_of(self.cosines[split])


def margin_of(cosines: Float64) -> float:
    """Mean cosine at k = +1 minus the largest at any other offset that could be measured."""
    return float(cosines[TARGET] - np.nanmax(cosines[list(RIVALS)]))


def tables_of_samples(basis: Basis, samples: Samples, chosen: IntArray) -> Tables:
    """Tables of placed samples; chunks beyond an article's edge are left out."""
    rows, inside = _rows_around(samples)
    rows, inside = rows[chosen], inside[chosen]
    contexts = np.asarray(samples.contexts)[chosen]
    return _tables(basis, samples.context_vectors, contexts, samples.vectors, rows, inside)


def complete(samples: Samples) -> IntArray:
    """The samples that have a chunk at every offset: those whose margin 5CAT measures."""
    return np.flatnonzero(_rows_around(samples)[1].all(axis=1))


def _rows_around(samples: Samples) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """(N, 7) rows of the article bank at the offsets, and whether the article has them."""
    rows = np.asarray(samples.target_rows, np.int64)[:, None] + np.array(OFFSETS) - 1
    starts = np.asarray(samples.article_starts)[:, None]
    ends = np.asarray(samples.article_ends)[:, None]
    return rows, (starts <= rows) & (rows < ends)


def tables_of_sequences(
    basis: Basis, sequences: SequenceSet, chosen: IntArray, following: IntArray
) -> Tables:
    """Tables of training samples, their neighbours read off the windows themselves."""
    contexts = np.asarray(sequences.contexts)[chosen]
    target = np.asarray(sequences.targets, np.int64)[chosen]
    second = following[target]
    third = np.where(second >= 0, following[second], -1)
    rows = np.column_stack([contexts[:, 1:], target, second, third])
    vectors = sequences.vectors
    return _tables(basis, vectors, contexts, vectors, rows, rows >= 0)


def _tables(
    basis: Basis,
    context_vectors: npt.NDArray[np.floating],
    contexts: IntArray,
    vectors: npt.NDArray[np.floating],
    rows: IntArray,
    inside: npt.NDArray[np.bool_],
) -> Tables:
    count, size = len(contexts), len(basis)
    gram = np.empty((count, size, size))
    dots = np.empty((count, size, len(OFFSETS)))
    for start in range(0, count, BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        parts = basis(np.asarray(context_vectors[contexts[part]], np.float32))
        chunks = np.asarray(vectors[np.where(inside[part], rows[part], 0)], np.float32)
        gram[part] = parts @ parts.transpose(0, 2, 1)
        dots[part] = parts @ chunks.transpose(0, 2, 1)
    dots *= inside[:, None, :]
    return Tables(gram, dots, inside.astype(np.float64))


class _TorchTables:
    """The same tables laid out so that one step of the ascent is two matrix products."""

    def __init__(self, tables: Tables) -> None:
        import torch

        count, size = tables.gram.shape[:2]
        self.gram = torch.from_numpy(tables.gram.reshape(count, size * size))
        dots = np.ascontiguousarray(tables.dots.transpose(1, 0, 2)).reshape(size, -1)
        self.dots = torch.from_numpy(dots)
        self.known = torch.from_numpy(tables.known)
        self.counts = self.known.sum(dim=0).clamp_min(1.0)

    def cosines(self, coefficients: Tensor) -> Tensor:
        """(7,) mean cosine at each offset; 0 where no sample has that chunk."""
        square = self.gram @ coefficients.outer(coefficients).flatten()
        dots = (coefficients @ self.dots).view(self.known.shape)
        return (dots / square.clamp_min(TINY).sqrt()[:, None]).sum(dim=0) / self.counts


def trace(tables: Tables, trades: Sequence[float] = TRADES) -> list[Float64]:
    """For each λ the coefficients with the best of cos(+1) − λ·(largest rival) on the tables.

    Deterministic: each starts where the one before ended, the first at the first map (ridge).
    """
    import torch

    data = _TorchTables(tables)
    rivals = [i for i in RIVALS if tables.known[:, i].any()]
    coefficients = torch.zeros(tables.gram.shape[1], dtype=torch.float64)
    coefficients[CONTEXT_LENGTH] = 1.0
    found = []
    for trade in trades:
        free = coefficients.clone().requires_grad_()
        optimizer = torch.optim.LBFGS(
            [free], max_iter=STEPS, history_size=STEPS, line_search_fn="strong_wolfe"
        )

        def loss(
            free: Tensor = free, optimizer: torch.optim.LBFGS = optimizer, trade: float = trade
        ) -> Tensor:
            optimizer.zero_grad()
            cosines = data.cosines(free)
            rival = SHARPNESS * torch.logsumexp(cosines[rivals] / SHARPNESS, dim=0)
            value = trade * rival - cosines[TARGET]
            value.backward()
            return value

        optimizer.step(loss)
        coefficients = free.detach() / free.detach().norm()
        found.append(coefficients.numpy().copy())
    return found


def pareto(points: Sequence[Point], split: str) -> list[Point]:
    """Those that no other beats in both cosine and margin on `split`, highest cosine first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (-p.cos(split), -p.margin(split))):
        if not kept or point.margin(split) > kept[-1].margin(split):
            kept.append(point)
    return kept


def best_margin(points: Sequence[Point], split: str, least_cos: float) -> float | None:
    """The largest margin with a cosine of at least `least_cos`; None where no point has that.

    Between two points by interpolation. That is never too high: using the one predictor for a
    share of the samples and the other for the rest reaches it, as the largest rival is convex.
    """
    line = [(p.cos(split), p.margin(split)) for p in pareto(points, split)]
    inside = [margin for cos, margin in line if cos >= least_cos]
    if not inside:
        return None
    best = max(inside)
    for (cos, margin), (lower, higher_margin) in pairwise(line):
        if cos >= least_cos > lower:
            share = (cos - least_cos) / (cos - lower)
            best = max(best, margin + share * (higher_margin - margin))
    return best
