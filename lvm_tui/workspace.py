"""The project folder as the dashboard sees it: jobs, lease and logs; and the way back, commands.

Its own connection to `lvm.db`: a reader never waits for the runner, not even for the one in this
process.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lvm.clock import Clock, SystemClock
from lvm.config import CONFIG_NAME
from lvm.errors import LvmError
from lvm.runs.eventlog import EventReader
from lvm.runs.folder import EVENTS, RunFolder
from lvm.runs.lease import HeldLease
from lvm.runs.leases import Lease
from lvm.runs.project import Project
from lvm.runs.runlog import RunLog
from lvm.runs.store import Store
from lvm.runs.who import host, whoami
from lvm.settings import DataSettings, Job
from lvm_tui.log_pages import FilePages
from lvm_tui.state.logbook import Pages
from lvm_tui.state.setup import Setup
from lvm_tui.state.views import Alert, Frame, JobRow, RunnerView

if TYPE_CHECKING:
    from lvm.service.manager import Manager
    from lvm_tui.promoting import Promoting

_STAMP = len("20251030_220000")


LEASE_SECONDS = 0.5
"""Between two looks at a lease that nobody has written to: its holder may have died."""


class Workspace:
    """Implements `Desk` (live.py) and `ProjectDesk` (desk.py) on a real project."""

    def __init__(self, root: Path, *, watch: bool = False, clock: Clock | None = None) -> None:
        """watch: makes nothing that is not there."""
        self.clock = clock or SystemClock()
        self.project = Project(root, self.clock)
        self._watch = watch
        self._elsewhere: dict[str, Path] = {}
        self._jobs: tuple[JobRow, ...] = ()
        self._jobs_as_of: object = None
        self._runner = RunnerView()
        self._runner_as_of: object = None
        self._runner_at = -math.inf
        self._newest = ""
        self._newest_as_of = -1
        self._services: Manager | None = None

    @property
    def store(self) -> Store:
        return self.project.store()

    @property
    def models(self) -> Path:
        return self.project.models

    @property
    def log_path(self) -> Path:
        return self.project.events

    def new_job(self) -> Job:
        config = self.project.config()
        return Job(train=config.train, data=config.data)

    def setup(self) -> Setup:
        configured = (self.project.root / CONFIG_NAME).exists()
        source = ""
        try:
            data = self.project.config().data
            source = data.bank or data.train
            self.project.check_data(data)
        except LvmError as error:
            what = f"{error.where}: {error.what}" if error.where else error.what
            return Setup(configured, what, error.fix, source)
        return Setup(configured, source=source)

    def check(self, data: DataSettings) -> None:
        self.project.check_data(data)

    def services(self) -> Manager:
        from lvm.service.manager import open_manager

        settings = self.project.config().services
        if self._services is None or self._services.services != settings:
            self._services = open_manager(self.project.root, settings, self.clock)
        return self._services

    def promoting(self) -> Promoting:
        from lvm_tui.promoting import Promoting

        return Promoting(self.project)

    def find(self, word: str) -> str:
        """The run that a person means: a name, the beginning of one, or a folder anywhere.

        Raises InputError.
        """
        path = Path(word)
        if path.is_dir() and (path / EVENTS).exists():
            path = path.resolve()
            self._elsewhere[path.name] = path
            return path.name
        return RunFolder.find(self.models, word).name

    # -------------------------------------------------------------- what screens are made of

    def jobs(self) -> tuple[JobRow, ...]:
        if self._watch and not self.project.database.exists():
            return ()
        now = _signature(self.project.database)
        if now != self._jobs_as_of:
            self._jobs = tuple(
                JobRow(
                    id=row.id,
                    model=row.model,
                    state=row.state,
                    run=row.run,
                    note=row.note,
                    job=row.job,
                    parent=row.parent,
                    started=row.started,
                    finished=row.finished,
                )
                for row in self.store.jobs()
            )
            self._jobs_as_of = now
        return self._jobs

    def runner(self) -> RunnerView:
        if self._watch and not self.project.database.exists():
            return RunnerView()
        now, moment = _signature(self.project.database), self.clock.monotonic()
        if now != self._runner_as_of or moment - self._runner_at >= LEASE_SECONDS:
            lease = self.store.lease()
            self._runner = (
                RunnerView(alive=True, here=_is_here(lease), pid=lease.pid, host=lease.host)
                if lease is not None
                else RunnerView()
            )
            self._runner_as_of, self._runner_at = now, moment
        return self._runner

    def has_jobs(self) -> bool:
        """Whether something is queued that nobody trains."""
        queued = any(job.state == "queued" for job in self.jobs())
        return queued and self.store.lease() is None

    def newest_run(self) -> str:
        try:
            now = self.models.stat().st_mtime_ns
        except FileNotFoundError:
            return ""
        if now != self._newest_as_of:
            runs = [
                path.name
                for path in self.models.iterdir()
                if "_5cat_" in path.name and not path.is_symlink()
            ]
            runs.sort(key=_started, reverse=True)
            self._newest = next((run for run in runs if (self.models / run / EVENTS).exists()), "")
            # the newest may have been made just now and have no log yet: then look again
            self._newest_as_of = now if runs[:1] == [self._newest] else -1
        return self._newest

    def workspace_log(self) -> EventReader:
        return EventReader(self.log_path)

    def run_log(self, run: str) -> EventReader:
        return EventReader(self.folder(run) / EVENTS)

    def log_pages(self, run: str) -> list[Pages]:
        pages: list[Pages] = [FilePages(self.log_path)]
        return [*pages, FilePages(self.folder(run) / EVENTS)] if run else pages

    def folder(self, run: str) -> Path:
        return self._elsewhere.get(run) or self.models / run

    # -------------------------------------------------------------- what a person says

    def send(self, kind: str, argument: str = "") -> None:
        self.store.send(kind, argument)

    def acknowledge(self, alert: Alert, frame: Frame) -> None:
        """By the runner, if one is alive; else here, holding the lease while writing."""
        if frame.runner.alive:
            self.store.send("acknowledge", alert.id, run=alert.run)
            return
        folder = RunFolder(self.folder(alert.run))
        with HeldLease(self.store, self.clock), RunLog(folder, self.clock) as log:
            log.acknowledge(alert.id, whoami())


def _signature(database: Path) -> object:
    """Changes with every write to the database, by whomever."""
    parts: list[tuple[int, int]] = []
    for name in (database, Path(f"{database}-wal")):
        try:
            found = name.stat()
        except FileNotFoundError:
            continue
        parts.append((found.st_mtime_ns, found.st_size))
    return parts


def _is_here(lease: Lease) -> bool:
    return lease.pid == os.getpid() and lease.host == host()


def _started(run: str) -> str:
    """Names end in the time at which the run began, and perhaps in _2."""
    stamp = run.partition("_5cat_")[2]
    return stamp[:_STAMP] + stamp[_STAMP:].rjust(4)
