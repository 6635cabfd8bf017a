"""Many points into a curve at once, with numpy: what `Curve.extended` does one by one.

The debiased moving average is a linear recurrence. Within a block of BLOCK points it is one
product with a triangular matrix; the ends of the blocks are a recurrence again, BLOCK times
shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from lvm_tui.state.curves import SMOOTHING, Bucket, Curve, halved, joined

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BLOCK = 32
"""Small, so that the products stay in one thread and exact to the last digits."""

FORGOTTEN = 1e-17
"""Share of the beginning in an average from which on 1 − share is 1 to the last bit."""


def extended(curve: Curve, steps: Sequence[int], values: Sequence[float | None]) -> Curve:
    """The curve with more points; those that are not finite, or not of a larger step than the one
    before, are left out."""
    at, value = _kept(curve.last_step, np.array(steps, np.int64), np.array(values, np.float64))
    if not len(at):
        return curve
    ends = _averages(curve, value)
    buckets, width = list(curve.buckets), curve.width
    count = curve.points
    while -(-(count + len(at)) // width) >= curve.capacity:
        buckets, width = halved(buckets), width * 2
    starts = _starts(count, len(at), width)
    fresh = _buckets(count, starts, at, ends)
    if count % width:  # the last bucket is open, and the first of the fresh ones is its rest
        buckets[-1] = joined(buckets[-1], next(fresh))
    buckets += fresh
    return Curve(tuple(buckets), width, curve.capacity)


def _kept(last: int, steps: Ints, values: Floats) -> tuple[Ints, Floats]:
    finite = np.isfinite(values)
    if not finite.all():
        steps, values = steps[finite], values[finite]
    before = np.maximum.accumulate(np.concatenate(([last], steps[:-1]))) if len(steps) else steps
    grows = steps > before
    return (steps, values) if grows.all() else (steps[grows], values[grows])


def _averages(curve: Curve, values: Floats) -> Floats:
    """The debiased average at every point, [levels, points]."""
    count = curve.points
    ends = np.empty((len(SMOOTHING), len(values)))
    for level, decay in enumerate(SMOOTHING):
        if not decay:
            ends[level] = values
            continue
        before = curve.buckets[-1].ends[level] * (1.0 - decay**count) if count else 0.0
        ends[level] = recurrence((1.0 - decay) * values, decay, before)
        if decay**count > FORGOTTEN:
            ends[level] /= 1.0 - decay ** np.arange(count + 1, count + len(values) + 1)
    return ends


def recurrence(inputs: Floats, decay: float, before: float) -> Floats:
    """`y[i] = inputs[i] + decay × y[i − 1]`, where `y[−1]` is `before`."""
    kernel, powers = _kernel(decay)
    count = len(inputs)
    if count <= BLOCK:
        return kernel[:count, :count] @ inputs + before * powers[:count]
    whole = count - count % BLOCK
    within = inputs[:whole].reshape(-1, BLOCK) @ kernel.T
    ends = recurrence(within[:, -1].copy(), decay**BLOCK, before)
    starts = np.concatenate(([before], ends[:-1]))
    found = (within + starts[:, None] * powers).reshape(-1)
    if whole == count:
        return found
    return np.concatenate((found, recurrence(inputs[whole:], decay, float(ends[-1]))))


@cache
def _kernel(decay: float) -> tuple[Floats, Floats]:
    """What each of BLOCK inputs, and what came before them, adds to each of BLOCK outputs."""
    at = np.arange(BLOCK)
    kernel: Floats = np.tril(np.power(decay, np.maximum(at[:, None] - at[None, :], 0)))
    powers: Floats = np.power(decay, at + 1)
    return kernel, powers


def _starts(count: int, more: int, width: int) -> Ints:
    """Where, among the new points, the rest of the open bucket and each further bucket begin."""
    firsts = np.arange(-(count % width), more, width)
    return np.maximum(firsts, 0)


def _buckets(count: int, starts: Ints, steps: Ints, ends: Floats) -> Iterator[Bucket]:
    last = np.concatenate((starts[1:], [len(steps)])) - 1
    lows = np.minimum.reduceat(ends, starts, axis=1).T.tolist()
    highs = np.maximum.reduceat(ends, starts, axis=1).T.tolist()
    return map(
        Bucket,
        steps[starts].tolist(),
        steps[last].tolist(),
        (last + count + 1).tolist(),
        map(tuple, lows),
        map(tuple, highs),
        map(tuple, ends[:, last].T.tolist()),
    )
