"""An alert that is raised: a new one, or an open one again (lvm/runs/latch.py says which); pure."""

from __future__ import annotations

from dataclasses import replace

from lvm.events import AlertRaised
from lvm.runs.latch import kind_of
from lvm_tui.state.views import Alert, RunView


def raised(view: RunView, event: AlertRaised) -> tuple[Alert, ...]:
    """The alerts of a run after one more raising."""
    if any(event.alert in alert.ids for alert in view.alerts if alert.open):
        return view.alerts  # an epoch that was trained again after a resume
    for at, alert in enumerate(view.alerts):
        if alert.open and _repeats(alert, event):
            again = replace(
                alert,
                message=event.message,
                fix=event.fix,
                epoch=event.epoch,
                ids=(*alert.ids, event.alert),
            )
            return (*view.alerts[:at], again, *view.alerts[at + 1 :])
    fresh = Alert(
        run=view.run,
        id=event.alert,
        cause=event.cause,
        level=event.level,
        message=event.message,
        fix=event.fix,
        epoch=event.epoch,
        time=view.time,
        split=event.split,
        since=event.epoch,
        ids=(event.alert,),
    )
    others = (_without(alert, event.alert) for alert in view.alerts)
    return (*(alert for alert in others if alert.ids), fresh)


def _repeats(alert: Alert, event: AlertRaised) -> bool:
    kind = (alert.cause, alert.level, alert.split)
    return kind == kind_of(event) and event.epoch > alert.epoch


def _without(alert: Alert, raising: str) -> Alert:
    """An acknowledged one, but for a raising that has come anew."""
    if raising not in alert.ids:
        return alert
    return replace(alert, ids=tuple(each for each in alert.ids if each != raising))
