"""The runner: holds the lease, works through the queue, writes every log.

`lvm queue run`, `lvm train` and the dashboard's worker thread use this one object. It prints
nothing and installs no signal handler: `should_stop` is how its process tells it to end.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

from lvm.clock import Clock, SystemClock
from lvm.events import QueueFinished
from lvm.records import Record
from lvm.runs.eventlog import EventWriter
from lvm.runs.lease import HEARTBEAT, HeldLease
from lvm.runs.notify import Notifier
from lvm.runs.outlook import MakeForecast
from lvm.runs.project import Project
from lvm.runs.training_run import Check, OpenCorpus, Tools, Train
from lvm.runs.who import whoami
from lvm.runs.work import Prepare, QueueEnd, Stopped, Work

IDLE = 0.2
"""Seconds between two looks for a new job while there is none."""


class Runner:
    """One runner of a project. train, open_corpus, check, forecast: instead of the engine's own,
    which are imported (torch and all) when `run` needs them. by: who runs it, for the record."""

    def __init__(
        self,
        project: Project,
        *,
        clock: Clock | None = None,
        train: Train | None = None,
        open_corpus: OpenCorpus | None = None,
        check: Check | None = None,
        forecast: MakeForecast | None = None,
        by: str | None = None,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._project = project
        self._clock = clock or SystemClock()
        self._train, self._open_corpus, self._check = train, open_corpus, check
        self._forecast = forecast
        self._by = by or whoami()
        self._heartbeat = heartbeat

    def run(
        self,
        *,
        until_empty: bool = True,
        only: int | None = None,
        should_stop: threading.Event | None = None,
        prepare: Prepare | None = None,
        afterwards: Prepare | None = None,
        listen: Callable[[str, Record], None] | None = None,
    ) -> QueueEnd:
        """Hold the lease and train what is queued, until the queue is empty or is stopped.

        until_empty: else wait for new jobs. only: train this one job and end. should_stop: set it
        (from a signal handler, say) to end after a checkpoint; the job stays queued. prepare: work
        to do first; what it raises is raised. afterwards: likewise, once some jobs were trained and
        the queue is empty. listen: called with (run, record) for each event that
        was written, run "" for the workspace log. Training does not depend on it: what it raises (a
        closed pipe, say) is raised when the work is done, and it is not called again.

        Raises LeaseError when another runner is alive or took this one for dead, DiskError when not
        even a failure can be written down. A job that fails does not raise.
        """
        store = self._project.store()
        if only is not None:
            store.job(only)
        with (
            HeldLease(store, self._clock, by=self._by, heartbeat=self._heartbeat) as lease,
            EventWriter(self._project.events, self._clock) as log,
        ):
            work = Work(
                self._project,
                self._clock,
                self._by,
                log,
                lease,
                should_stop or threading.Event(),
                listen or _unheard,
                Notifier(lambda: self._project.config().notify, self._project.root, self._clock),
            )
            store.requeue_active("its runner ended without finishing it")
            work.steering.forget_the_past()
            try:
                if prepare is not None:
                    work.prepare(prepare)
                end = self._queue(work, afterwards, until_empty=until_empty, only=only)
            except Stopped:
                end = work.end(complete=False)
            work.notify_to_the_end()
        if work.listener_error is not None:
            raise work.listener_error
        return end

    def _queue(
        self, work: Work, afterwards: Prepare | None, *, until_empty: bool, only: int | None
    ) -> QueueEnd:
        store = self._project.store()
        told = not until_empty and only is None  # an empty queue is news only after some work
        while not work.must_end():
            row = store.take_next(only)
            if row is not None:
                end = work.train(row, self._tools)
                if only is not None and end.retried_as is not None:
                    only = end.retried_as  # it belongs to what was asked for
                told = False
                continue
            if not told:
                if afterwards is not None and work.done:
                    work.prepare(afterwards)
                work.tell(QueueFinished(done=work.done, failed=work.failed))
                told = True
            if until_empty or only is not None:
                return work.end(complete=True)
            self._clock.sleep(IDLE)
        return work.end(complete=False)

    def _tools(self) -> Tools:
        return Tools(
            self._train or _engine("lvm.training.trainer", "train"),
            self._open_corpus or _engine("lvm.data.sources", "open_corpus"),
            self._check or _engine("lvm.quality.direction", "check_direction"),
            self._forecast or _engine("lvm.runs.outlook", "outlook_document"),
        )


def _engine(module: str, name: str) -> Any:
    """The engine's own tool; importing it may take seconds."""
    return getattr(importlib.import_module(module), name)


def _unheard(run: str, record: Record) -> None:
    """Listens to nothing."""
