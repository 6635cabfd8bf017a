"""What has come up between two frames that somebody who looks elsewhere should know; pure."""

from __future__ import annotations

from lvm.events import AlertRaised, QueueFinished, RunFinished
from lvm.runs.notices import Notice, notice_of
from lvm_tui.state.views import Alert, Frame, RunView


def news(before: Frame, after: Frame) -> list[Notice]:
    """Alerts, ends of runs and of the queue; nothing that was there before somebody looked."""
    if before.catching_up:
        return []
    runs = _runs(before)
    over = {run.run for run in runs if run.phase == "finished"}
    fresh = _fresh(before, after)
    seen = {(alert.run, alert.id) for alert in before.alerts}
    found = [
        _alert(alert)
        for alert in after.alerts
        if alert.run in fresh and (alert.run, alert.id) not in seen
    ]
    found += [
        notice
        for run in _runs(after)
        if run.phase == "finished" and run.run in fresh - over
        for notice in _end(run)
    ]
    if after.workspace.queue_finished > before.workspace.queue_finished:
        ended = QueueFinished(after.workspace.done, after.workspace.failed)
        found += [notice] if (notice := notice_of("", ended)) is not None else []
    return found


def _fresh(before: Frame, after: Frame) -> set[str]:
    """Runs of which whatever is new in `after` happened since: those whose logs had been read to
    the end, and, where that was so of all, those that began since."""
    known = {run.run for run in _runs(before)}
    if known <= before.caught_up:
        return {run.run for run in _runs(after)}
    return set(before.caught_up)


def _runs(frame: Frame) -> tuple[RunView, ...]:
    if frame.run is None or frame.pinned:
        return () if frame.run is None else (frame.run,)
    return (frame.run, *frame.finished)


def _alert(alert: Alert) -> Notice:
    event = AlertRaised(alert.id, alert.cause, alert.level, alert.message, epoch=alert.epoch)
    return _notice(alert.run, event)


def _end(run: RunView) -> list[Notice]:
    end = run.outcome
    if end is None:
        return []
    event = RunFinished(end.outcome, end.epochs, end.seconds, end.reason, summary=end.summary)
    return [_notice(run.run, event)]


def _notice(run: str, event: AlertRaised | RunFinished) -> Notice:
    notice = notice_of(run, event)
    assert notice is not None  # these two always are
    return notice
