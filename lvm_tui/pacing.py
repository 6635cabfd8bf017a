"""Which frames a screen is given: news at once, mere progress once a second.

In calm mode only what calls for a person comes at once; all else may wait its ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from lvm_tui.state.views import Frame, RunView, WorkspaceView

PROGRESS, CALM = 1.0, 10.0
"""Seconds between two pictures of progress. Nobody reads counters faster, and each picture takes
time from a training in the same process and bytes from the line."""


class Pacing:
    """Holds back frames that only count on; the newest is always shown in the end."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._shown: Frame | None = None
        self._next = 0.0

    def due(self, frame: Frame, *, calm: bool = False, more: bool = False) -> bool:
        """Whether the screen should be given this frame now; then it counts as shown.

        more: there is something else to show than the frame, such as the machine's gauges.
        """
        before = self._shown
        if frame is before and not more:
            return False
        waits = no_call if calm else only_progress
        if before is not None and (reading_on(before, frame) or waits(before, frame)):
            now = self._monotonic()
            if now < self._next:
                return False
            self._next = now + (CALM if calm else PROGRESS)
        self._shown = frame
        return True


def reading_on(before: Frame, after: Frame) -> bool:
    """Whether a log is in the middle of being read for the first time: all of it is past."""
    known = before.run is not None and after.run is not None
    return known and before.catching_up and after.catching_up


def no_call(before: Frame, after: Frame) -> bool:
    """Whether nothing differs that a person is waited for, or waits for: no alert, pause or end."""
    if before.run is None or after.run is None:
        return before.run is after.run and before == after
    return (
        _calls(before.run) == _calls(after.run)
        and before.workspace.queue_finished == after.workspace.queue_finished
        and _but_for_logs(before) == _but_for_logs(after)
    )


def _calls(run: RunView) -> tuple[object, ...]:
    alerts = [(alert.id, alert.level, alert.open) for alert in run.alerts]
    return run.run, run.phase in ("paused", "loading"), alerts, run.outcome, run.data


def _but_for_logs(frame: Frame) -> Frame:
    return replace(frame, run=None, workspace=WorkspaceView(), alerts=())


def only_progress(before: Frame, after: Frame) -> bool:
    """Whether nothing but counters, rates and points of curves differ."""
    if before.run is None or after.run is None:
        return False
    if _landmarks(before.run) != _landmarks(after.run):
        return False
    if _preparation(before.workspace) != _preparation(after.workspace):
        return False
    return replace(after, run=None, workspace=before.workspace) == replace(before, run=None)


def _preparation(workspace: WorkspaceView) -> tuple[object, ...]:
    tasks = tuple((task.id, task.state) for task in workspace.tasks)
    return tasks, workspace.queue_finished, workspace.log


def _landmarks(run: RunView) -> tuple[object, ...]:
    """What a person waits for; the same objects while nothing of it happens."""
    return (
        run.run,
        run.phase,
        run.epoch,
        run.history,
        run.fivecats,
        run.alerts,
        run.log,
        run.outcome,
        run.data,
        run.settings,
    )
