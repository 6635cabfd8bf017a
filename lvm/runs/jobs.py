"""The queue: jobs in their order, and what became of them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lvm.errors import InputError, LvmError, SettingsError
from lvm.runs.leases import Leases
from lvm.settings import MODEL_TYPES, Job

JobState = Literal["queued", "running", "paused", "done", "failed", "stopped", "cancelled"]
JOB_STATES: tuple[JobState, ...] = get_args(JobState)
ACTIVE: tuple[JobState, ...] = ("running", "paused")
FINISHED: tuple[JobState, ...] = ("done", "failed", "stopped", "cancelled")

Direction = Literal["up", "down", "top", "bottom"]


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job of the queue, as it stood when it was read."""

    id: int
    position: int
    """Jobs run in ascending order of it; only the order means anything."""
    job: Job
    state: JobState
    run: str
    """Name of its run folder; "" until it begins. A queued job that has one is resumed."""
    parent: str
    """The run that this one starts anew, or ""."""
    note: str
    """Why it failed or stopped, or what is to be known of it."""
    created: float
    started: float | None
    finished: float | None

    @property
    def model(self) -> str:
        return self.job.train.model


class Jobs(Leases):
    """The table `jobs`."""

    # ------------------------------------------------------------------ for everybody

    def add_job(self, job: Job, *, run: str = "") -> int:
        """Put a job at the end of the queue; with `run`, it goes on with that run folder."""
        with self._writing() as connection:
            return _insert(connection, job, run, self.clock.now())

    def add_all(self, job: Job) -> list[int]:
        """The job for all four models, in the order of MODEL_TYPES."""
        jobs = [Job(train=job.train.changed(model=model), data=job.data) for model in MODEL_TYPES]
        with self._writing() as connection:
            return [_insert(connection, each, "", self.clock.now()) for each in jobs]

    def jobs(self) -> list[JobRow]:
        """All jobs, in the order of the queue."""
        with self._reading() as connection:
            rows = connection.execute("SELECT * FROM jobs ORDER BY position, id").fetchall()
        return [self._row(row) for row in rows]

    def job(self, number: int) -> JobRow:
        """Raises InputError if there is none of this number."""
        with self._reading() as connection:
            return self._row(self._found(connection, number))

    def find_unfinished(self, job: Job) -> JobRow | None:
        """A job that asks for the same and was begun, but not ended by anybody: the same command
        goes on with it."""
        for row in self.jobs():
            begun = row.run or row.started is not None
            if begun and row.state in ("queued", *ACTIVE) and row.job == job:
                return row
        return None

    def move_job(self, number: int, to: Direction | int) -> None:
        """Change the order of the queued jobs; `to` may be a place among them, from 1."""
        with self._writing() as connection:
            self._require_queued(self._found(connection, number), "moved")
            queued = connection.execute(
                "SELECT id, position FROM jobs WHERE state = 'queued' ORDER BY position, id"
            ).fetchall()
            order = [row["id"] for row in queued]
            place = order.index(number)
            order.remove(number)
            order.insert(self._place(to, place, len(order)), number)
            for each, row in zip(order, queued, strict=True):
                _set(connection, each, position=row["position"])

    def _place(self, to: Direction | int, place: int, last: int) -> int:
        places = {"up": place - 1, "down": place + 1, "top": 0, "bottom": last}
        if not isinstance(to, int) and to not in places:
            raise InputError(
                f"cannot move a job {to!r}", fix="up, down, top, bottom, or a place from 1"
            )
        return max(0, min(last, to - 1 if isinstance(to, int) else places[to]))

    def edit_job(self, number: int, job: Job) -> None:
        """Replace what a queued job asks for."""
        with self._writing() as connection:
            self._require_queued(self._found(connection, number), "edited")
            _set(connection, number, model=job.train.model, job=json.dumps(job.to_json()))

    def remove_job(self, number: int) -> None:
        """Take a job off the list; its run folder stays. Refuses the one that trains."""
        alive = self.lease() is not None
        with self._writing() as connection:
            if self._found(connection, number)["state"] in ACTIVE and alive:
                raise InputError(
                    f"job {number} is training",
                    where=str(self.path),
                    fix="skip or cancel it first",
                )
            connection.execute("DELETE FROM jobs WHERE id = ?", (number,))

    def retry_job(self, number: int, *, fresh: bool = False, job: Job | None = None) -> None:
        """Queue a finished job again, at the end. It goes on with its run, or, if `fresh`, in a new
        run folder that names the old one as its parent. job: what it asks for from now on."""
        with self._writing() as connection:
            row = self._found(connection, number)
            if row["state"] not in FINISHED or (row["state"] == "done" and not fresh):
                raise InputError(
                    f"job {number} is {row['state']}",
                    where=str(self.path),
                    fix="only a failed, stopped or cancelled job can be retried; "
                    "a done one can be run afresh",
                )
            _set(
                connection,
                number,
                state="queued",
                note="",
                started=None,
                finished=None,
                position=_end(connection),
                run="" if fresh else row["run"],
                parent=row["run"] if fresh else row["parent"],
            )
            if job is not None:
                _set(connection, number, model=job.train.model, job=json.dumps(job.to_json()))

    # ------------------------------------------------------------------ for the runner

    def take_next(self, only: int | None = None) -> JobRow | None:
        """Mark the first queued job (or `only` that one) as running. A job that this version cannot
        read becomes failed, and the one after it is taken."""
        with self._writing() as connection:
            queued = connection.execute(
                "SELECT * FROM jobs WHERE state = 'queued' AND (? IS NULL OR id = ?) "
                "ORDER BY position, id",
                (only, only),
            ).fetchall()
            for row in queued:
                try:
                    self._row(row)
                except LvmError as error:
                    note, now = str(error), self.clock.now()
                    _set(connection, row["id"], state="failed", note=note, finished=now)
                    continue
                _set(
                    connection,
                    row["id"],
                    state="running",
                    note="",
                    started=self.clock.now(),
                    finished=None,
                )
                return self._row(self._found(connection, row["id"]))
        return None

    def assign_run(self, number: int, run: str) -> None:
        with self._writing() as connection:
            _set(connection, number, run=run)

    def set_state(self, number: int, state: JobState, note: str = "") -> None:
        """What became of a job. Queued again means: first in the queue, to be resumed."""
        with self._writing() as connection:
            self._become(connection, number, state, note)

    def _become(
        self, connection: sqlite3.Connection, number: int, state: JobState, note: str
    ) -> None:
        _set(connection, number, state=state, note=note)
        if state in FINISHED:
            _set(connection, number, finished=self.clock.now())
        if state == "queued":
            _set(connection, number, position=_front(connection))

    def end_and_retry(self, number: int, state: JobState, note: str, retry: Job) -> int | None:
        """`set_state`, and `retry` becomes the next job, with the ended run as its parent: both or
        neither. Returns the number of the new job; None, and nothing is done, where that run was
        tried again with the same objective before."""
        with self._writing() as connection:
            run = self._found(connection, number)["run"]
            if _was_retried(connection, run, retry):
                return None
            self._become(connection, number, state, note)
            added = _insert(connection, retry, "", self.clock.now())
            _set(connection, added, parent=run, position=_front(connection))
            return added

    def requeue_active(self, note: str) -> list[int]:
        """What a dead runner was training goes to the front of the queue."""
        with self._writing() as connection:
            found = connection.execute(
                "SELECT id FROM jobs WHERE state IN ('running', 'paused') ORDER BY position DESC"
            ).fetchall()
            for row in found:
                position = _front(connection)
                _set(connection, row["id"], state="queued", note=note, position=position)
            return [row["id"] for row in found]

    # ------------------------------------------------------------------ rows

    def _found(self, connection: sqlite3.Connection, number: int) -> sqlite3.Row:
        row: sqlite3.Row | None = connection.execute(
            "SELECT * FROM jobs WHERE id = ?", (number,)
        ).fetchone()
        if row is None:
            raise InputError(
                f"there is no job {number}",
                where=str(self.path),
                fix="lvm queue list shows those there are",
            )
        return row

    def _require_queued(self, row: sqlite3.Row, verb: str) -> None:
        if row["state"] != "queued":
            raise InputError(
                f"job {row['id']} is {row['state']}",
                where=str(self.path),
                fix=f"only a queued job can be {verb}",
            )

    def _row(self, row: sqlite3.Row) -> JobRow:
        values = {name: row[name] for name in row.keys() if name not in ("model", "job")}  # noqa: SIM118
        try:
            return JobRow(job=Job.from_json(json.loads(row["job"])), **values)
        except (LvmError, ValueError) as error:
            what = error.what if isinstance(error, LvmError) else str(error)
            raise SettingsError(
                f"the settings of job {row['id']} cannot be read: {what}",
                where=str(self.path),
                fix=f"lvm queue remove {row['id']}",
            ) from error


def _insert(connection: sqlite3.Connection, job: Job, run: str, now: float) -> int:
    cursor = connection.execute(
        "INSERT INTO jobs (position, model, job, state, run, created) VALUES (?, ?, ?, ?, ?, ?)",
        (_end(connection), job.train.model, json.dumps(job.to_json()), "queued", run, now),
    )
    return int(cursor.lastrowid or 0)


def _was_retried(connection: sqlite3.Connection, run: str, retry: Job) -> bool:
    rows = connection.execute("SELECT job FROM jobs WHERE parent = ?", (run,)).fetchall()
    asked = [json.loads(row["job"]).get("train", {}).get("objective") for row in rows]
    return retry.train.objective in asked


def _set(connection: sqlite3.Connection, number: int, **values: Any) -> None:
    columns = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE jobs SET {columns} WHERE id = ?", (*values.values(), number))


def _end(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COALESCE(MAX(position), 0) + 1 FROM jobs").fetchone()[0])


def _front(connection: sqlite3.Connection) -> int:
    return int(
        connection.execute(
            "SELECT COALESCE(MIN(position), 1) - 1 FROM jobs WHERE state = 'queued'"
        ).fetchone()[0]
    )
