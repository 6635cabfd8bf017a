"""What a curve says at one place: the values under the cursor; pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from lvm_tui.state.curves import Curve


@dataclass(frozen=True, slots=True)
class Reading:
    """At a step, as far as it was measured there."""

    step: int
    """The nearest one that was measured."""
    low: float | None
    high: float | None
    """Of the training batches that share a bucket; the same where there is one only."""
    validation: float | None
    validated: int
    """The step of the nearest validation."""


def read(
    curve: Curve, validation: Sequence[tuple[int, float]], level: int, step: float
) -> Reading | None:
    """level: of smoothing. None: nothing was measured at all."""
    nearest = min(validation, key=lambda point: abs(point[0] - step), default=None)
    value, validated = (nearest[1], nearest[0]) if nearest is not None else (None, 0)
    buckets = curve.buckets
    if not buckets:
        return Reading(validated, None, None, value, validated) if nearest is not None else None
    at = min(bisect_left(buckets, step, key=lambda bucket: bucket.last), len(buckets) - 1)
    if at and step - buckets[at - 1].last < buckets[at].first - step:
        at -= 1  # in the gap between two, and nearer to the first
    bucket = buckets[at]
    shown = round(min(max(step, bucket.first), bucket.last))
    return Reading(shown, bucket.lows[level], bucket.highs[level], value, validated)
