"""What one runner does between taking the lease and giving it back: jobs, commands, both logs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from lvm.clock import Clock
from lvm.errors import LvmError, in_words
from lvm.events import (
    AlertRaised,
    Event,
    GateFailed,
    JobFinished,
    JobStarted,
    RunFinished,
    TaskFinished,
    TaskStarted,
)
from lvm.records import Record
from lvm.runs.aftermath import Aftermath, aftermath, missing_of
from lvm.runs.commands import Command
from lvm.runs.eventlog import EventWriter
from lvm.runs.folder import RunFolder
from lvm.runs.jobs import JobRow, JobState
from lvm.runs.lease import HeldLease
from lvm.runs.notify import Notifier
from lvm.runs.project import Project
from lvm.runs.reserve import Reserve
from lvm.runs.runlog import RunLog, count_bias_alerts
from lvm.runs.steering import Steering
from lvm.runs.training_run import Tools, TrainingRun

Prepare = Callable[[Callable[[Event], None]], object]
"""Work before the queue: is given `emit` for its Task events."""


@dataclass(frozen=True, slots=True)
class JobEnd:
    """What became of one job."""

    job: int
    model: str
    run: str
    state: JobState
    """done | failed | stopped | cancelled, or queued: the next runner goes on with it."""
    note: str
    finished: RunFinished | None
    """The last event of its run; None if not even that could be written."""
    retried_as: int | None = None
    """The job that tries again, because this one is not ready for production."""


@dataclass(frozen=True, slots=True)
class QueueEnd:
    """What `Runner.run` did."""

    reason: Literal["empty", "stopped", "asked"]
    """empty: no job is left. stopped: somebody stopped the queue, or a job whose run is not ready
    for production did (`on_gate_failure`). asked: `should_stop` was set."""
    jobs: tuple[JobEnd, ...] = field(default=())

    @property
    def done(self) -> int:
        return sum(job.state == "done" for job in self.jobs)

    @property
    def failed(self) -> int:
        return sum(job.state == "failed" for job in self.jobs)


class Stopped(Exception):
    """People ended the work before the queue."""


class Work:
    """One `run`: the logs that are open, the commands, and what was done so far."""

    def __init__(
        self,
        project: Project,
        clock: Clock,
        by: str,
        log: EventWriter,
        lease: HeldLease,
        should_stop: threading.Event,
        listen: Callable[[str, Record], None],
        notifier: Notifier,
    ) -> None:
        self._project, self._clock, self._by = project, clock, by
        self._log, self._should_stop, self._listener = log, should_stop, listen
        self._notifier = notifier
        self.listener_error: Exception | None = None
        """What the listener raised; it hears nothing more, and the training goes on."""
        self._reserve = Reserve(project.folder / ".reserve")
        self._reserve.keep()
        self._open: tuple[RunFolder, RunLog] | None = None
        self._jobs: list[JobEnd] = []
        self._gate_stopped = False
        self.steering = Steering(
            project.store(),
            clock,
            should_stop=should_stop,
            check_lease=lease.check,
            acknowledge=self._acknowledge,
            unreadable=self._unreadable,
        )

    @property
    def done(self) -> int:
        return self.end(complete=True).done

    @property
    def failed(self) -> int:
        return self.end(complete=True).failed

    def must_end(self) -> bool:
        """Between jobs: whether the queue is to go no further. What was said here to no job in
        particular is not left for the next one."""
        self.steering.check_lease()
        self.steering.look(at_once=True)
        return self._should_stop.is_set() or self._is_stopped

    @property
    def _is_stopped(self) -> bool:
        """By people, or because a job said so of a run that is not ready."""
        return self._gate_stopped or self.steering.ending == "stop"

    def end(self, *, complete: bool) -> QueueEnd:
        if complete:
            return QueueEnd("empty", tuple(self._jobs))
        return QueueEnd("stopped" if self._is_stopped else "asked", tuple(self._jobs))

    def tell(self, event: Event) -> None:
        """Write to the workspace log. Raises LeaseError, DiskError."""
        self.steering.check_lease()
        self._listen("", self._log.append(event))

    def notify_to_the_end(self) -> None:
        """Let the last notifications go out, and tell of those that did not."""
        self._notifier.close()
        self._tell_failed_notices()

    def _listen(self, run: str, record: Record) -> None:
        self._notifier.hear(run, record.event)
        if self.listener_error is None:
            try:
                self._listener(run, record)
            except Exception as error:  # noqa: BLE001  raised by Runner.run when the work is done
                self.listener_error = error
        self._tell_failed_notices()

    def _tell_failed_notices(self) -> None:
        for failure in self._notifier.failures():
            self.tell(failure)

    # ------------------------------------------------------------------ before the queue

    def prepare(self, prepare: Prepare) -> None:
        """Do the work before the queue. What it raises is told as the end of its task."""
        begun = self._clock.monotonic()
        running: dict[str, float] = {}

        def emit(event: Event) -> None:
            if self.must_end():
                raise Stopped
            match event:
                case TaskStarted():
                    running[event.task] = self._clock.monotonic()
                case TaskFinished():
                    running.pop(event.task, None)
            self.tell(event)

        try:
            prepare(emit)
        except BaseException as error:
            note = "ended by the user" if isinstance(error, Stopped) else in_words(error)
            for task, since in running.items() or {"prepare": begun}.items():
                seconds = self._clock.monotonic() - since
                self.tell(TaskFinished(task, seconds, ok=False, note=note))
            raise

    # ------------------------------------------------------------------ one job

    def train(self, row: JobRow, tools: Callable[[], Tools]) -> JobEnd:
        """Train a job; whatever happens to it, the queue goes on, unless the job itself says that
        it stops where a run is not ready for production."""
        self._reserve.keep()
        self.steering.begin(row.id)
        store = self._project.store()
        run, finished = row.run, None
        state: JobState = "queued"
        note = ""
        try:
            folder = self._folder(row)
            run = folder.name
            self.tell(JobStarted(row.id, row.model, run))
            state, note, finished = self._train_in(folder, row, tools)
        except LvmError as error:
            self.steering.check_lease()  # lost: this job belongs to another runner now
            self._reserve.give_up()
            state, note = "failed", str(error)
        except BaseException:
            store.set_state(row.id, "queued", "interrupted")
            raise
        finally:
            self.steering.end()
        failed, note, retried_as = self._end_job(row, run, state, note, finished)
        self._jobs.append(JobEnd(row.id, row.model, run, state, note, finished, retried_as))
        told = "stopped" if state == "queued" else state
        self.tell(JobFinished(row.id, row.model, run, told, note))
        if failed is not None:
            self.tell(failed)
        return self._jobs[-1]

    def _end_job(
        self, row: JobRow, run: str, state: JobState, note: str, finished: RunFinished | None
    ) -> tuple[GateFailed | None, str, int | None]:
        """Write down what became of a job, and what follows from it where its run is not ready for
        production: (the event that tells of it, the job's note, the job that tries again)."""
        store = self._project.store()
        missing: tuple[str, ...] = ()
        if finished is not None:
            alerts = count_bias_alerts(RunFolder(self._project.models / run).events)
            by_people = self.steering.ending is not None
            missing = missing_of(finished, bias_alerts=alerts, by_people=by_people)
        if not missing:
            store.set_state(row.id, state, note)
            return None, note, None
        then: Aftermath = aftermath(row.job, missing)
        added = None
        if then.retry is not None:
            added = store.end_and_retry(row.id, state, then.words, then.retry)
            if added is None:
                then = then.without_retry()
        if added is None:
            store.set_state(row.id, state, then.note or note)
        self._gate_stopped |= then.then == "stop_queue"
        failed = GateFailed(
            row.id, row.model, run, list(missing), then.then, then.words, added or 0
        )
        return failed, then.note or note, added

    def _folder(self, row: JobRow) -> RunFolder:
        folder = RunFolder(self._project.models / row.run)
        if not row.run or not folder.path.is_dir():
            folder = RunFolder.create(self._project.models, row.model, self._clock.now())
            self._project.store().assign_run(row.id, folder.name)
        return folder

    def _train_in(
        self, folder: RunFolder, row: JobRow, tools: Callable[[], Tools]
    ) -> tuple[JobState, str, RunFinished | None]:
        with RunLog(folder, self._clock, shown_as=self._shown(folder)) as log:
            self._open = (folder, log)
            run = TrainingRun(
                row,
                folder,
                log,
                self.steering,
                tools,
                project=self._project,
                clock=self._clock,
                by=self._by,
                tell=self.tell,
                listen=lambda record: self._listen(folder.name, record),
                on_disk_error=self._reserve.give_up,
                set_state=lambda state: self._show(row.id, state),
            )
            try:
                state, note = run.run()
            finally:
                self._open = None
            return state, note, run.finished

    def _shown(self, folder: RunFolder) -> str:
        return folder.path.relative_to(self._project.root).as_posix()

    def _show(self, job: int, state: JobState) -> None:
        """paused or running, for the queue's list: not worth a failed training."""
        try:
            self._project.store().set_state(job, state)
        except LvmError as error:
            self._unreadable(error)

    # ------------------------------------------------------------------ commands

    def _acknowledge(self, command: Command) -> None:
        """An alert of the run at hand, or of an earlier one."""
        last = self._jobs[-1].run if self._jobs else ""
        at_hand = self._open[0].name if self._open else last
        name = command.run or at_hand
        if self._open and name == self._open[0].name:
            self._acknowledge_in(self._open[1], name, command)
            return
        folder = RunFolder(self._project.models / name)
        if name and folder.path.parent == self._project.models and folder.events.exists():
            with RunLog(folder, self._clock) as log:
                self._acknowledge_in(log, name, command)

    def _acknowledge_in(self, log: RunLog, name: str, command: Command) -> None:
        for record in log.acknowledge(command.argument, command.by):
            self._listen(name, record)

    def _unreadable(self, error: LvmError) -> None:
        """The store fails while a run trains: told, and the training goes on."""
        if self._open is None:
            return
        folder, log = self._open
        alert = AlertRaised(
            alert=f"failed-{log.next_seq}",
            cause="failed",
            level="alarm",
            message=f"NO COMMANDS  the queue cannot be read: {error.what}",
            fix=error.fix,
        )
        self._listen(folder.name, log.append(alert))
