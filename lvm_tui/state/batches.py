"""Batches folded into a view: the newest one is shown, all of them make the curves and the pace.

Between two other events only the newest batch matters to what they change, so the points of many
epochs are gathered and go into the curves at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from lvm.events import Batch
from lvm.runs.decoding import BatchLine
from lvm_tui.state.views import Pace, RunView

DECAY = 0.9
"""Of the average time of a batch."""

_REMEMBERED = 400
"""Batches after which an average is forgotten: 0.9^400 is below what a float can tell."""


class _Point(NamedTuple):
    """One batch event; has the fields of a BatchLine that are read here."""

    time: float
    epoch: int
    step: int
    batch: int
    batches: int
    loss: float | None
    cosine: float | None
    learning_rate: float | None
    samples_per_second: float | None
    memory_mb: float | None


class Pending:
    """Batches that are not in the view yet."""

    def __init__(self) -> None:
        self._points: list[BatchLine | _Point] = []
        self._shown = 0
        """How many of them `latest` has seen."""

    def extend(self, lines: Sequence[BatchLine]) -> None:
        self._points += lines

    def append(self, time: float, event: Batch) -> None:
        self._points.append(
            _Point(
                time,
                event.epoch,
                event.step,
                event.batch,
                event.batches,
                event.loss,
                event.cosine,
                event.learning_rate,
                event.samples_per_second,
                event.memory_mb,
            )
        )

    def latest(self, view: RunView) -> RunView:
        """With what the newest batch says, curves and pace excepted."""
        if self._shown == len(self._points):
            return view
        self._shown = len(self._points)
        batch = self._points[-1]
        return replace(
            view,
            phase="validating" if batch.batch >= batch.batches else "training",
            testing=None,
            epoch=batch.epoch,
            batch=batch.batch,
            batches=batch.batches,
            step=batch.step,
            learning_rate=batch.learning_rate,
            samples_per_second=batch.samples_per_second,
            memory_mb=batch.memory_mb or 0.0,
            time=batch.time,
        )

    def all(self, view: RunView) -> RunView:
        """With the curves and the pace of all batches; then none is pending."""
        points, self._points, self._shown = self._points, [], 0
        if not points:
            return view
        steps = [point.step for point in points]
        return replace(
            view,
            loss=view.loss.extended(steps, [point.loss for point in points]),
            cosine=view.cosine.extended(steps, [point.cosine for point in points]),
            pace=_paced(view.pace, points),
        )


def _paced(pace: Pace, points: Sequence[BatchLine | _Point]) -> Pace:
    for start in (max(len(points) - 2 * _REMEMBERED, 0), 0):
        found, counted = _paced_after(pace if start == 0 else _at(points[start]), points[start:])
        if counted >= _REMEMBERED or start == 0:
            return found
    raise AssertionError  # the second turn returns


def _paced_after(pace: Pace, points: Sequence[BatchLine | _Point]) -> tuple[Pace, int]:
    """The pace after more batches, and how many of them count."""
    epoch, batch, time, seconds = pace.epoch, pace.batch, pace.time, pace.seconds_per_batch
    counted = 0
    for point in points:
        done = point.batch - batch
        if time and epoch == point.epoch and done > 0 and point.time > time:
            each = (point.time - time) / done
            seconds = each if seconds is None else DECAY * seconds + (1.0 - DECAY) * each
            counted += 1
        epoch, batch, time = point.epoch, point.batch, point.time
    return Pace(epoch, batch, time, seconds), counted


def _at(point: BatchLine | _Point) -> Pace:
    return Pace(point.epoch, point.batch, point.time, None)
