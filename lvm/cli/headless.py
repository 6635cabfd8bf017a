"""Training without a screen: the runner in this process, plain words and a bar on the terminal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from lvm import events
from lvm.cli.output import Output
from lvm.config import NotifySettings
from lvm.errors import Interrupted, LeaseError, RefusedError, RunError
from lvm.naming import plain
from lvm.records import Record
from lvm.runs.latch import Latch
from lvm.runs.logformat import format_event
from lvm.runs.notices import escape, is_wanted, notice_of
from lvm.runs.project import Project
from lvm.runs.ranks import distributed_train, follow_main_rank, is_follower
from lvm.runs.runner import Runner
from lvm.runs.work import JobEnd
from lvm.settings import Job


def train_one(project: Project, job: Job, output: Output, *, run: str = "") -> int:
    """Train one job, or go on with the one that was begun like it and not ended.

    The same command after a crash takes up the same run. Returns the exit code: 0 ready for
    production, 1 trained but not ready (or refused), 3 failed, 130 interrupted.
    """
    if is_follower():
        follow_main_rank(project.root)
        return 0
    store = project.store()
    unfinished = None if run else store.find_unfinished(job)
    if unfinished is not None:
        output.message(f"going on with {unfinished.run}")
    number = unfinished.id if unfinished is not None else store.add_job(job, run=run)
    try:
        return _run(project, output, only=number)
    except LeaseError as error:
        raise LeaseError(
            error.what,
            where=error.where,
            fix=f"job {number} is queued, so that runner trains it; "
            f"lvm queue remove {number} takes it back",
        ) from error


def run_queue(project: Project, output: Output, *, wait: bool) -> int:
    """Train what is queued; with `wait`, for ever."""
    return _run(project, output, until_empty=not wait)


def _run(project: Project, output: Output, **how: Any) -> int:
    should_stop, teller = threading.Event(), _Teller(output, project.config().notify)
    with _signals(should_stop, output), distributed_train() as train:
        ended = Runner(project, train=train).run(should_stop=should_stop, listen=teller.tell, **how)
    if output.as_json:
        output.document(
            {"reason": ended.reason, "jobs": [_document(job, teller.refused) for job in ended.jobs]}
        )
    if ended.reason == "asked":
        return Interrupted.exit_code
    last = [job for job in ended.jobs if job.retried_as is None]  # else the other try decides
    return max((_exit_code(job, teller.refused) for job in last), default=0)


def _exit_code(job: JobEnd, refused: set[str]) -> int:
    if job.state == "failed":
        return RefusedError.exit_code if job.run in refused else RunError.exit_code
    ready = job.finished is not None and bool(job.finished.summary.get("ready"))
    return 0 if ready else RefusedError.exit_code


def _document(job: JobEnd, refused: set[str]) -> dict[str, Any]:
    finished = job.finished
    return {
        "job": job.job,
        "model": job.model,
        "run": job.run,
        "state": job.state,
        "note": job.note,
        "refused": job.run in refused,
        "retried_as": job.retried_as,
        "best_epoch": finished.best_epoch if finished else None,
        "best_val_loss": finished.best_val_loss if finished else None,
        "best_val_cosine": finished.best_val_cosine if finished else None,
        "best_5cat_epoch": finished.best_5cat_epoch if finished else None,
        "5cat": finished.summary if finished else None,
    }


class _Teller:
    """Says what the runner writes: lines for what stays, a bar for what passes."""

    def __init__(self, output: Output, notify: NotifySettings) -> None:
        self._output, self._notify = output, notify
        self._latches: dict[str, Latch] = {}
        self.refused: set[str] = set()
        """Runs whose data failed its checks."""

    def tell(self, run: str, record: Record) -> None:
        event = record.event
        fresh = self._latches.setdefault(run, Latch()).take(event)
        notice = notice_of(run, event) if fresh else None
        if notice is not None and is_wanted(notice, self._notify):
            self._output.attention(escape(notice, self._notify.terminal, os.environ))
        if isinstance(event, events.AlertRaised) and event.cause == "data_quality":
            self.refused.add(run)
        match event:
            case events.Batch():
                rate = f"{event.samples_per_second:,.0f} samples/s"
                what = f"epoch {event.epoch}  loss {event.loss:.6f}  cos {event.cosine:.3f}  {rate}"
                self._output.progress(what, event.batch, event.batches)
            case events.FivecatProgress():
                what = f"5CAT {event.split} {plain(event.test)}"
                self._output.progress(what, event.done, event.total)
            case events.TaskProgress():
                self._output.progress(event.note, event.done, event.total)
            case _:
                text = format_event(record, folder=run and f"artifacts/lvm/models/{run}")
                if text is not None:
                    self._output.line(text, _style(event))


def _style(event: events.Event) -> str:
    if isinstance(event, events.AlertRaised):
        return "bad" if event.level in ("severe", "alarm") else "warn"
    return ""


@contextmanager
def _signals(should_stop: threading.Event, output: Output) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop after a checkpoint; a second Ctrl-C ends at once."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if should_stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        should_stop.set()
        output.message("stopping after a checkpoint … (Ctrl-C again ends at once)")

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
