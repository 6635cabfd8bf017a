"""`view = fold(view, record)`: pure functions from events to views."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from lvm import events as e
from lvm.events import AFTERWARDS
from lvm.records import Record
from lvm.runs.decoding import Batches
from lvm_tui.state.batches import Pending
from lvm_tui.state.latching import raised
from lvm_tui.state.views import (
    Data,
    Epoch,
    Fivecat,
    Forecast,
    Outcome,
    Pace,
    RunView,
    Task,
    Testing,
    WorkspaceView,
)
from lvm_tui.state.wording import log_line

LOG_LINES = 400
"""Lines of the log tail that are kept."""

_View = TypeVar("_View", RunView, WorkspaceView)
_Row = TypeVar("_Row", Epoch, Fivecat)
_Handler = Callable[[RunView, Any], RunView]


def fold(view: RunView, record: Record) -> RunView:
    """The view after one more event of its run."""
    return fold_all(view, (record,))


def fold_all(view: RunView, items: Iterable[Record | Batches]) -> RunView:
    """The view after more events: what `fold` gives one by one, batches in bulk."""
    pending = Pending()
    count = view.records
    for item in items:
        if isinstance(item, Batches):
            count += len(item)
            pending.extend(item.lines)
            continue
        count += 1
        event = item.event
        if isinstance(event, e.Batch):
            pending.append(item.time, event)
            continue
        view = pending.latest(view)
        if isinstance(event, e.RunStarted | e.Paused):  # what they change must be up to date
            view = pending.all(view)
        view = replace(view, time=item.time)
        handler = _RUN_HANDLERS.get(type(event))
        if handler is not None:
            view = handler(view, event)
        view = _logged(view, item)
    view = pending.all(pending.latest(view))
    return replace(view, records=count) if count != view.records else view


def fold_workspace(view: WorkspaceView, record: Record) -> WorkspaceView:
    """The view after one more event of the workspace log."""
    event = record.event
    tasks = view.tasks
    if isinstance(event, e.TaskStarted):
        if all(task.state != "running" for task in tasks) and view.queue_finished:
            tasks = ()  # a new preparation begins
        tasks = (*(t for t in tasks if t.id != event.task), Task(event.task, event.title))
    elif isinstance(event, e.TaskProgress):
        tasks = _changed(tasks, event.task, done=event.done, total=event.total, note=event.note)
    elif isinstance(event, e.TaskFinished):
        tasks = _changed(
            tasks,
            event.task,
            state="done" if event.ok else "failed",
            seconds=event.seconds,
            note=event.note,
            result=event.result,
        )
    finished = view.queue_finished
    if isinstance(event, e.QueueFinished):
        finished = True
        tasks = tuple(task for task in tasks if task.id.startswith(AFTERWARDS))
        view = replace(view, done=event.done, failed=event.failed)
    elif isinstance(event, e.JobStarted | e.TaskStarted):
        finished = False
        if isinstance(event, e.JobStarted):
            tasks = tuple(task for task in tasks if not task.id.startswith(AFTERWARDS))
    view = replace(view, tasks=tasks, queue_finished=finished, records=view.records + 1)
    return _logged(view, record)


def _changed(tasks: tuple[Task, ...], which: str, **values: Any) -> tuple[Task, ...]:
    return tuple(replace(task, **values) if task.id == which else task for task in tasks)


def _logged(view: _View, record: Record) -> _View:
    line = log_line(record)
    if line is None:
        return view
    return replace(view, log=(*view.log[1 - LOG_LINES :], line))


# ------------------------------------------------------------------ life of a run


def _run_started(view: RunView, event: e.RunStarted) -> RunView:
    view = replace(
        view,
        run=event.run,
        model=event.model,
        device=event.device,
        host=event.host,
        settings=event.settings,
        parameters=event.parameters,
        samples=event.samples,
        epochs=event.epochs,
        batches=event.batches_per_epoch,
        phase="training",
        outcome=None,
        testing=None,
        pace=Pace(),
        epoch=event.epoch + 1,
        batch=event.step - event.epoch * event.batches_per_epoch,
        step=event.step,
    )
    return replace(
        view,
        loss=view.loss.rewound(event.step),
        cosine=view.cosine.rewound(event.step),
        history=tuple(row for row in view.history if row.epoch <= event.epoch),
        fivecats=tuple(cat for cat in view.fivecats if cat.step <= event.step),
    )


def _before(rows: tuple[_Row, ...], epoch: int) -> tuple[_Row, ...]:
    """Rows of earlier epochs: nearly always all of them, which must cost nothing."""
    if not rows or rows[-1].epoch < epoch:
        return rows
    return tuple(row for row in rows if row.epoch < epoch)


def _run_finished(view: RunView, event: e.RunFinished) -> RunView:
    outcome = Outcome(
        event.outcome,
        event.reason,
        event.epochs,
        event.seconds,
        event.best_epoch,
        event.best_val_loss,
        event.best_val_cosine,
        event.best_5cat_epoch,
        event.summary,
    )
    return replace(view, phase="finished", outcome=outcome, testing=None)


def _data_loaded(view: RunView, event: e.DataLoaded) -> RunView:
    data = Data(
        event.source,
        event.samples,
        event.articles,
        event.quality,
        event.alignment,
        event.passed,
        event.overridden,
        event.dim,
        tuple(event.notes),
    )
    return replace(view, data=data)


def _forecast_made(view: RunView, event: e.ForecastMade) -> RunView:
    return replace(view, forecast=Forecast(event.forecast, event.seconds, event.cached, event.note))


def _epoch_finished(view: RunView, event: e.EpochFinished) -> RunView:
    row = Epoch(
        event.epoch,
        event.step,
        event.train_loss,
        event.train_cosine,
        event.val_loss,
        event.val_cosine,
        event.seconds,
        event.best,
    )
    return replace(
        view,
        phase="training",
        epoch=event.epoch,
        batch=view.batches,
        step=event.step,
        learning_rate=event.learning_rate,
        samples_per_second=event.samples_per_second,
        history=(*_before(view.history, event.epoch), row),
    )


def _paused(view: RunView, _: e.Paused) -> RunView:
    return replace(view, phase="paused", pace=replace(view.pace, time=0.0))


def _resumed(view: RunView, _: e.Resumed) -> RunView:
    return replace(view, phase="training")


# ------------------------------------------------------------------ 5CAT


def _fivecat_started(view: RunView, event: e.FivecatStarted) -> RunView:
    return replace(view, phase="testing", testing=Testing(event.epoch, started=view.time))


def _fivecat_progress(view: RunView, event: e.FivecatProgress) -> RunView:
    started = view.testing.started if view.testing is not None else view.time
    testing = Testing(event.epoch, event.test, event.split, event.done, event.total, started)
    return replace(view, phase="testing", testing=testing)


def _fivecat_finished(view: RunView, event: e.FivecatFinished) -> RunView:
    fivecat = Fivecat(event.epoch, event.step, event.result, event.score, event.best)
    return replace(
        view,
        phase="training",
        testing=None,
        fivecats=(*_before(view.fivecats, event.epoch), fivecat),
        fivecat_seconds=event.seconds,
    )


# ------------------------------------------------------------------ alerts


def _alert_raised(view: RunView, event: e.AlertRaised) -> RunView:
    testing = None if event.cause == "fivecat_failed" else view.testing
    phase = "training" if view.phase == "testing" and testing is None else view.phase
    return replace(view, alerts=raised(view, event), testing=testing, phase=phase)


def _alert_acknowledged(view: RunView, event: e.AlertAcknowledged) -> RunView:
    alerts = tuple(
        replace(alert, acknowledged_by=event.by or "somebody", acknowledged_at=view.time)
        if event.alert in alert.ids and alert.open
        else alert
        for alert in view.alerts
    )
    return replace(view, alerts=alerts)


_RUN_HANDLERS: dict[type[e.Event], _Handler] = {
    e.RunStarted: _run_started,
    e.RunFinished: _run_finished,
    e.DataLoaded: _data_loaded,
    e.ForecastMade: _forecast_made,
    e.EpochFinished: _epoch_finished,
    e.Paused: _paused,
    e.Resumed: _resumed,
    e.FivecatStarted: _fivecat_started,
    e.FivecatProgress: _fivecat_progress,
    e.FivecatFinished: _fivecat_finished,
    e.AlertRaised: _alert_raised,
    e.AlertAcknowledged: _alert_acknowledged,
}
