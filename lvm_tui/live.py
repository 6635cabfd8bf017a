"""Tails the logs and the database, and makes one immutable frame of it all.

`poll` does a bounded piece of work, so that a log of a million events never freezes the screen;
it returns the same frame object as before when nothing changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from lvm.records import Record
from lvm.runs.decoding import Batches
from lvm_tui.state.fold import fold_all, fold_workspace
from lvm_tui.state.logbook import Pages
from lvm_tui.state.setup import Setup
from lvm_tui.state.stranding import BEGUN, as_they_are
from lvm_tui.state.views import Alert, Frame, JobRow, RunnerView, RunView, WorkspaceView

CHUNK = 500
"""Records of the workspace log read between two looks at the clock."""

BUDGET = 0.04
"""Seconds of reading in one poll at most: then keys and the screen have their turn. Reached only
while a long log is read for the first time."""

REVISIT = 10
"""Every so many polls the logs of runs that have ended are looked at again."""

_URGENCY = {"severe": 0, "alarm": 1, "caution": 2, "notice": 3}


class Reader(Protocol):
    """Reads an event log from where it stopped the last time."""

    restarts: int
    """Rises when the log was replaced: what was read before is void."""

    at_end: bool
    """Whether the last poll took all that was there."""

    def poll(self, max_records: int | None = None) -> Sequence[Record]: ...

    def poll_in_bulk(self, *, batches: bool = True) -> Sequence[Record | Batches]:
        """The next piece of a log that may be long; `batches`: False leaves them out."""
        ...


class Source(Protocol):
    """What is read of a workspace."""

    def jobs(self) -> tuple[JobRow, ...]: ...

    def runner(self) -> RunnerView: ...

    def newest_run(self) -> str: ...

    def workspace_log(self) -> Reader: ...

    def run_log(self, run: str) -> Reader: ...


class Desk(Source, Protocol):
    """A workspace that can also be told things."""

    @property
    def log_path(self) -> Path: ...

    def folder(self, run: str) -> Path: ...

    def log_pages(self, run: str) -> Sequence[Pages]:
        """The workspace log and that of a run ("": none), to be read by a person."""
        ...

    def setup(self) -> Setup:
        """Whether something could be trained here; reads lvm.toml and headers of data files."""
        ...

    def send(self, kind: str, argument: str = "") -> None:
        """A command for the runner."""
        ...

    def acknowledge(self, alert: Alert, frame: Frame) -> None:
        """For good: into the log of the alert's run."""
        ...


class Tail:
    """One run's log and the view that has been folded from it."""

    def __init__(self, reader: Reader, run: str, *, curves: bool = True) -> None:
        self._reader = reader
        self._curves = curves
        self._restarts = reader.restarts
        self.view = RunView(run=run)
        self.at_end = False
        self.caught_up = False
        """It was read to its end at least once: what comes from now on is new."""

    def read(self) -> None:
        """One piece more."""
        items = self._reader.poll_in_bulk(batches=self._curves)
        self.at_end = self._reader.at_end
        if self._reader.restarts != self._restarts:
            self._restarts = self._reader.restarts
            self.view = RunView(run=self.view.run)
            self.caught_up = False
        self.view = fold_all(self.view, items)
        self.caught_up = self.caught_up or self.at_end


class Live:
    """The state of the dashboard; `frame` is what screens may show."""

    def __init__(
        self,
        source: Source,
        *,
        run: str = "",
        watching: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """run: the one to look at; "" follows the run that trains, or the newest."""
        self._source = source
        self._fixed = run
        self._monotonic = monotonic
        self._workspace_log = source.workspace_log()
        self._restarts = self._workspace_log.restarts
        self._tails: dict[str, Tail] = {}
        self._ended: dict[str, Tail] = {}
        self._polls = 0
        self.frame = Frame(watching=watching, pinned=bool(run), catching_up=True)

    def poll(self) -> Frame:
        """Read what is new, for at most BUDGET seconds."""
        deadline = self._monotonic() + BUDGET
        workspace = self._workspace(self.frame.workspace, deadline)
        runner = self._source.runner()  # first: a job that has just begun has its runner
        jobs = as_they_are(self._source.jobs(), runner)
        run = self._fixed or self._followed(jobs)
        current = self._current(run)
        at_end = current is None or self._read(current, deadline)
        finished = self._finished(jobs, run, deadline)
        view = current.view if current is not None else None
        shown = () if self._fixed else finished
        views = (*shown, view) if view is not None else shown
        frame = replace(
            self.frame,
            workspace=workspace,
            run=view,
            finished=finished,
            jobs=jobs,
            runner=runner,
            alerts=_open_alerts(views),
            catching_up=not at_end,
            caught_up=self._caught_up(current, finished),
        )
        if frame != self.frame:
            self.frame = frame
        return self.frame

    def _caught_up(self, current: Tail | None, finished: tuple[RunView, ...]) -> frozenset[str]:
        names = {view.run for view in finished if self._ended[view.run].caught_up}
        if current is not None and current.caught_up:
            names.add(current.view.run)
        return frozenset(names)

    def _workspace(self, view: WorkspaceView, deadline: float) -> WorkspaceView:
        while True:
            records = self._workspace_log.poll(CHUNK)
            if self._workspace_log.restarts != self._restarts:
                self._restarts = self._workspace_log.restarts
                view = WorkspaceView()
            for record in records:
                view = fold_workspace(view, record)
            if len(records) < CHUNK or self._monotonic() > deadline:
                return view

    def _followed(self, jobs: tuple[JobRow, ...]) -> str:
        active = [job.run for job in jobs if job.state in BEGUN and job.run]
        if active:
            return active[0]
        newest = self._source.newest_run()
        ended = [job for job in jobs if job.run and job.finished is not None]
        if newest in {job.run for job in ended}:  # a run that was taken up again ended later
            return max(ended, key=lambda job: job.finished or 0.0).run
        return newest

    def _current(self, run: str) -> Tail | None:
        if not run:
            return None
        if run not in self._tails:
            self._tails = {run: Tail(self._source.run_log(run), run)}
        return self._tails[run]

    def _read(self, tail: Tail, deadline: float) -> bool:
        tail.read()
        while not tail.at_end and self._monotonic() < deadline:
            tail.read()
        return tail.at_end

    def _finished(
        self, jobs: tuple[JobRow, ...], current: str, deadline: float
    ) -> tuple[RunView, ...]:
        """Views of the other jobs' runs: for open alerts and the summary."""
        revisit = self._polls % REVISIT == 0
        self._polls += 1
        wanted = [job.run for job in jobs if job.run and job.run != current]
        for run in wanted:
            tail = self._ended.get(run)
            if tail is None:
                tail = self._ended[run] = Tail(self._source.run_log(run), run, curves=False)
            waits = not tail.at_end or any(alert.open for alert in tail.view.alerts)
            if (revisit or waits) and self._monotonic() < deadline:
                self._read(tail, deadline)
        return tuple(self._ended[run].view for run in wanted)


def whole_log(reader: Reader) -> Iterator[Record]:
    """Everything that is in a log now, from its beginning."""
    while records := reader.poll(CHUNK):
        yield from records


def _open_alerts(views: Sequence[RunView]) -> tuple[Alert, ...]:
    alerts = [alert for view in views for alert in view.alerts if alert.open]
    alerts.sort(key=lambda alert: (_URGENCY.get(alert.level, 3), alert.time))
    return tuple(alerts)
