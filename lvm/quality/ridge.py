"""Ridge regression from the five contexts to the chunks after them, in bounded memory.

The data is read once, in blocks, into the normal equations: (5·D)² numbers whatever N is. With
centred contexts x and chunks y_k, W_k = (X'X + α·s·I)⁻¹ X'Y_k, where s is the mean of the
diagonal of X'X, so that α means the same on any data. The intercept is not penalised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lvm.data.progress import Progress, quiet
from lvm.data.sequences import IntArray, SequenceSet
from lvm.errors import DataError
from lvm.settings import CONTEXT_LENGTH

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

BLOCK_ROWS = 2048
ALPHAS: tuple[float, ...] = tuple(10 ** (power / 2) for power in range(-6, 7))
"""The log grid: 0.001 to 1,000, two a decade."""
FIRST_ALPHA = 6
"""Where the search starts: α = 1; on real text the best lies within two steps."""
LARGEST_TUNE = 1_500
"""Samples on which α is chosen: a standard error of the mean cosine of about 0.004."""
TUNE_SHARE = 0.10
FEWEST_SAMPLES = 20
TINY = 1e-12
"""Keeps a division by a length or a variance of zero finite."""


@dataclass(frozen=True)
class AffineMap:
    """y = x·weight + bias, from the flattened contexts."""

    weight: Float32
    """(5·D, D)."""
    bias: Float32
    """(D,)."""

    def __call__(self, contexts: Float32) -> Float32:
        """(n, 5, D) → (n, D), not of unit length."""
        flat = contexts.reshape(len(contexts), -1)
        return np.asarray(flat @ self.weight + self.bias, np.float32)


@dataclass(frozen=True)
class NormalEquations:
    """All that ridge needs of the data, for targets 1 … K chunks ahead."""

    gram: Float64
    """(5·D, 5·D) centred X'X."""
    cross: Float64
    """(5·D, K·D) centred X'Y, each block scaled up for the windows that have no such chunk."""
    mean_context: Float64
    """(5·D,)."""
    mean_targets: Float64
    """(K, D)."""
    counts: tuple[int, ...]
    """Windows that have a chunk 1 … K ahead."""

    @property
    def ahead(self) -> int:
        return len(self.counts)

    def solve(self, alpha: float, ahead: int) -> list[AffineMap]:
        """The maps to the first `ahead` chunks after the contexts: one factorisation for all.

        An α below the rounding of the products is raised tenfold until the matrix is positive.
        """
        import torch

        dim = self.mean_targets.shape[1]
        penalty = alpha * max(float(np.trace(self.gram)) / len(self.gram), TINY)
        failed = 1
        while failed:
            penalised = torch.from_numpy(self.gram.copy())
            penalised.diagonal().add_(penalty)
            factor, info = torch.linalg.cholesky_ex(penalised)
            failed = int(info)
            penalty *= 10
        right = torch.from_numpy(np.ascontiguousarray(self.cross[:, : ahead * dim]))
        weights = torch.cholesky_solve(right, factor).numpy()
        maps = []
        for number in range(ahead):
            weight = weights[:, number * dim : (number + 1) * dim]
            bias = self.mean_targets[number] - self.mean_context @ weight
            maps.append(AffineMap(weight.astype(np.float32), bias.astype(np.float32)))
        return maps


def split_for_tuning(
    sequences: SequenceSet, rng: np.random.Generator, max_fit: int
) -> tuple[IntArray, IntArray]:
    """Samples to fit on and samples to choose on, of different articles where those are known.

    At most `max_fit` and `LARGEST_TUNE`, both ascending, so that a memory map is read in order.
    Raises DataError if there are too few.
    """
    count = len(sequences)
    if count < FEWEST_SAMPLES:
        raise DataError(
            f"{count} training samples are too few for baselines and a forecast",
            where=sequences.source,
            fix=f"give at least {FEWEST_SAMPLES}",
        )
    held_out = np.zeros(count, bool)
    held_out[-max(1, round(TUNE_SHARE * count)) :] = True
    if sequences.article_ids is not None:
        articles = np.unique(sequences.article_ids)
        if len(articles) > 1:
            chosen = rng.permutation(articles)[: max(1, round(TUNE_SHARE * len(articles)))]
            held_out = np.isin(sequences.article_ids, chosen)
    fit, tune = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    return draw(fit, max_fit, rng), draw(tune, LARGEST_TUNE, rng)


def draw(rows: IntArray, most: int, rng: np.random.Generator) -> IntArray:
    """At most so many of the rows, without replacement, in their order."""
    if len(rows) <= most:
        return rows
    return np.sort(rng.choice(rows, most, replace=False))


def accumulate(
    sequences: SequenceSet,
    samples: IntArray,
    *,
    ahead: int = 1,
    following: IntArray | None = None,
    progress: Progress = quiet,
) -> NormalEquations:
    """One pass over the samples. `ahead` > 1 needs `following` (see `sequences.following_rows`).

    Products in float32 a block at a time, sums in float64. Raises DataError for NaN or infinity.
    """
    dim = sequences.dim
    width = CONTEXT_LENGTH * dim
    gram = np.zeros((width, width))
    cross = np.zeros((width, ahead * dim))
    sum_x = np.zeros((ahead, width))
    sum_y = np.zeros((ahead, dim))
    counts = np.zeros(ahead, np.int64)
    all_x = np.zeros(width)
    for start in range(0, len(samples), BLOCK_ROWS):
        progress("normal equations", start, len(samples))
        part = samples[start : start + BLOCK_ROWS]
        x = sequences.gather(part)[0].reshape(len(part), width)
        targets, known = _chunks_ahead(sequences, part, ahead, following)
        gram += x.T @ x
        cross += x.T @ targets.reshape(len(part), ahead * dim)
        all_x += x.sum(axis=0, dtype=np.float64)
        sum_x += known.T.astype(np.float64) @ x
        sum_y += targets.sum(axis=0, dtype=np.float64)
        counts += known.sum(axis=0)
    progress("normal equations", len(samples), len(samples))
    if not np.isfinite(gram).all():
        raise DataError(
            "NaN or infinite values in the contexts",
            where=sequences.source,
            fix="encode the chunks again; all vectors must be finite",
        )
    count = max(len(samples), 1)
    mean_x = all_x / count
    gram -= count * np.outer(mean_x, mean_x)
    mean_y = sum_y / np.maximum(counts, 1)[:, None]
    for number in range(ahead):
        block = cross[:, number * dim : (number + 1) * dim]
        block -= np.outer(sum_x[number], mean_y[number])
        block *= count / max(int(counts[number]), 1)
    return NormalEquations(gram, cross, mean_x, mean_y, tuple(int(n) for n in counts))


def _chunks_ahead(
    sequences: SequenceSet, samples: IntArray, ahead: int, following: IntArray | None
) -> tuple[Float32, npt.NDArray[np.bool_]]:
    """(n, ahead, D) the chunks after the contexts, zero where not known; (n, ahead) known."""
    rows = np.asarray(sequences.targets[samples], np.int64)
    chunks = np.zeros((len(samples), ahead, sequences.dim), np.float32)
    known = np.zeros((len(samples), ahead), bool)
    for number in range(ahead):
        if number:
            assert following is not None
            rows = np.where(rows >= 0, following[rows], -1)
        known[:, number] = rows >= 0
        chunks[known[:, number], number] = sequences.vectors[rows[rows >= 0]]
    return chunks, known


def choose_alpha(
    equations: NormalEquations,
    contexts: Float32,
    targets: Float32,
    alphas: Sequence[float] = ALPHAS,
    progress: Progress = quiet,
) -> float:
    """The α of the grid with the highest mean cosine on (n, 5, D) and (n, D) held-out samples.

    Climbs from the middle of the grid: the cosine has one peak over log α.
    """

    tried = 0

    def cosine(number: int) -> float:
        nonlocal tried
        progress("strength of the ridge", tried, len(alphas))
        tried += 1
        predicted = equations.solve(alphas[number], ahead=1)[0](contexts)
        length = np.maximum(np.linalg.norm(predicted, axis=1), TINY)
        return float(np.mean(np.einsum("nd,nd->n", predicted, targets) / length))

    return alphas[_climb(cosine, len(alphas), min(FIRST_ALPHA, len(alphas) - 1))]


def _climb(value: Callable[[int], float], count: int, start: int) -> int:
    best, best_value = start, value(start)
    for direction in (-1, 1):
        moved = False
        while 0 <= best + direction < count:
            nearby = value(best + direction)
            if nearby <= best_value:
                break
            best, best_value, moved = best + direction, nearby, True
        if moved:
            break
    return best
