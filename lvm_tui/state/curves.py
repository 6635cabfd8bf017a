"""A curve of any length in a fixed amount of memory: min/max buckets, smoothed before bucketing.

Every point goes into a bucket that keeps the lowest and the highest value of a few neighbours, so
no spike is ever lost. When the buckets run out, neighbours merge in pairs. Each bucket keeps all
smoothing levels, so that changing the level needs no second look at the log.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

SMOOTHING = (0.0, 0.6, 0.9, 0.97, 0.99)
"""Decay of the exponential moving average at each level; 0 shows the points as they are."""

CAPACITY = 4096
"""Buckets at most: two a column of a 300-column chart, with room to zoom in six times."""


MANY = 256
"""Points at once from which on numpy is faster than a loop."""


class Bucket(NamedTuple):
    """Some neighbouring points. The three tuples have one value a smoothing level."""

    first: int
    """Step of the first point."""
    last: int
    """Step of the last point."""
    upto: int
    """Points of the curve up to and including this bucket."""
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    ends: tuple[float, ...]
    """Value at the last point: where the average goes on after a rewind."""


class Span(NamedTuple):
    """What a chart draws in half a column."""

    step: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Points of growing step. Compared by identity: every change makes a new curve."""

    buckets: tuple[Bucket, ...] = ()
    width: int = 1
    """Points that fill a bucket; only the last bucket may hold fewer."""
    capacity: int = CAPACITY

    @property
    def points(self) -> int:
        return self.buckets[-1].upto if self.buckets else 0

    @property
    def last_step(self) -> int:
        return self.buckets[-1].last if self.buckets else 0

    def extended(self, steps: Sequence[int], values: Sequence[float | None]) -> Curve:
        """The curve with more points. Those that are not finite, or not of a larger step than the
        one before (a repeated line), are left out."""
        if len(steps) >= MANY:
            from lvm_tui.state import bulk  # numpy, 0.1 s: only for a long log

            return bulk.extended(self, steps, values)
        filler, last = _Filler(self), self.last_step
        for step, value in zip(steps, values, strict=True):
            if value is not None and step > last and math.isfinite(value):
                filler.add(step, value)
                last = step
        return filler.curve() if last > self.last_step else self

    def rewound(self, step: int) -> Curve:
        """The curve without anything after `step`.

        A bucket that straddles it goes as a whole: void points must not stay, and a bucket is
        never wider than a fraction of a column.
        """
        kept = bisect_right(self.buckets, step, key=lambda bucket: bucket.last)
        if kept == len(self.buckets):
            return self
        return Curve(self.buckets[:kept], self.width, self.capacity)

    def spans(self, level: int, start: float, end: float, columns: int) -> list[Span]:
        """At most two spans a column between the steps `start` and `end`, at a smoothing level."""
        if columns < 1 or end <= start:
            return []
        lower = bisect_left(self.buckets, start, key=lambda bucket: bucket.last)
        upper = bisect_right(self.buckets, end, key=lambda bucket: bucket.first)
        visible = self.buckets[lower:upper]
        if len(visible) <= 2 * columns:
            return [Span((b.first + b.last) / 2, b.lows[level], b.highs[level]) for b in visible]
        middles = [(bucket.first + bucket.last) / 2 for bucket in visible]
        lows = [bucket.lows[level] for bucket in visible]
        highs = [bucket.highs[level] for bucket in visible]
        width = (end - start) / (2 * columns)
        spans: list[Span] = []
        at = 0
        for slot in range(1, 2 * columns + 1):
            edge = start + slot * width if slot < 2 * columns else math.inf
            upto = bisect_left(middles, edge, at)
            if upto > at:
                spans.append(Span(middles[at], min(lows[at:upto]), max(highs[at:upto])))
                at = upto
        return spans


class _Filler:
    """Builds the next curve: the last bucket held open in lists, for speed."""

    def __init__(self, curve: Curve) -> None:
        self._capacity = curve.capacity
        self._width = curve.width
        self._closed = list(curve.buckets)
        self._count = curve.points
        self._powers = [decay**self._count for decay in SMOOTHING]
        ends = curve.buckets[-1].ends if curve.buckets else (0.0,) * len(SMOOTHING)
        self._averages = [
            end * (1.0 - power) for end, power in zip(ends, self._powers, strict=True)
        ]
        self._ends = list(ends)
        self._open = False
        self._first = self._last = 0
        self._full_at = self._count
        before = curve.buckets[-2].upto if len(curve.buckets) > 1 else 0
        if curve.buckets and self._count - before < self._width:
            bucket = self._closed.pop()
            self._open = True
            self._first, self._last = bucket.first, bucket.last
            self._lows, self._highs = list(bucket.lows), list(bucket.highs)
            self._full_at = before + self._width

    def add(self, step: int, value: float) -> None:
        fresh = self._count == self._full_at
        if fresh:
            self._close()
            self._full_at = self._count + self._width
        self._count += 1
        averages, powers, ends = self._averages, self._powers, self._ends
        for level, (decay, rest) in _DECAYS:
            power = powers[level] = powers[level] * decay
            average = averages[level] = decay * averages[level] + rest * value
            ends[level] = average / (1.0 - power)
        if fresh:
            self._open = True
            self._first = step
            self._lows, self._highs = ends[:], ends[:]
        else:
            lows, highs = self._lows, self._highs
            for level, end in enumerate(ends):
                if end < lows[level]:
                    lows[level] = end
                elif end > highs[level]:
                    highs[level] = end
        self._last = step

    def curve(self) -> Curve:
        self._close()
        return Curve(tuple(self._closed), self._width, self._capacity)

    def _close(self) -> None:
        if not self._open:
            return
        self._open = False
        self._closed.append(
            Bucket(
                self._first,
                self._last,
                self._count,
                tuple(self._lows),
                tuple(self._highs),
                tuple(self._ends),
            )
        )
        if len(self._closed) >= self._capacity:
            self._closed = halved(self._closed)
            self._width *= 2


_DECAYS = tuple(enumerate((decay, 1.0 - decay) for decay in SMOOTHING))


def halved(buckets: list[Bucket]) -> list[Bucket]:
    """Neighbours merged in pairs; the last, possibly open bucket stays last."""
    merged = [joined(left, right) for left, right in zip(buckets[::2], buckets[1::2], strict=False)]
    if len(buckets) % 2:
        merged.append(buckets[-1])
    return merged


def joined(left: Bucket, right: Bucket) -> Bucket:
    """Two neighbours as one."""
    return Bucket(
        left.first,
        right.last,
        right.upto,
        tuple(map(min, left.lows, right.lows)),
        tuple(map(max, left.highs, right.highs)),
        right.ends,
    )
