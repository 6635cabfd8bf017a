"""`lvm.db`: one SQLite file (WAL) that any number of processes and threads use at once.

Every public method of the store (store.py) is one short transaction. What SQLite has to complain
of is said in words: locked, read-only, full, broken, or written by a newer version.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lvm.clock import Clock, SystemClock
from lvm.errors import DiskError, InputError, LvmError, RunError

SCHEMA = 1
"""`PRAGMA user_version` of the file."""

BUSY_SECONDS = 10.0
"""How long a method waits for another process before it gives up."""

_TABLES = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    position INTEGER NOT NULL,
    model TEXT NOT NULL,
    job TEXT NOT NULL,
    state TEXT NOT NULL,
    run TEXT NOT NULL DEFAULT '',
    parent TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    started REAL,
    finished REAL
);
CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    argument TEXT NOT NULL,
    by TEXT NOT NULL,
    job INTEGER,
    run TEXT NOT NULL,
    created REAL NOT NULL,
    taken REAL
);
CREATE INDEX waiting_commands ON commands (id) WHERE taken IS NULL;
CREATE TABLE lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    token TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_start TEXT NOT NULL,
    host TEXT NOT NULL,
    place TEXT NOT NULL,
    by TEXT NOT NULL,
    started REAL NOT NULL,
    heartbeat REAL NOT NULL
);
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    document TEXT NOT NULL
);
"""


class Database:
    """One connection, shared by the threads of this process one at a time.

    Opening makes the file and its tables if they are not there. Raises InputError when a newer
    version wrote it, RunError or DiskError when it cannot be used.
    """

    def __init__(
        self, path: Path, clock: Clock | None = None, *, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self.path = path
        self.clock = clock or SystemClock()
        self._busy_seconds = busy_seconds
        self._lock = threading.RLock()
        with self._in_words():
            self._connection = sqlite3.connect(
                path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        with self._in_words():
            self._begin_wal()
            self._connection.execute("PRAGMA synchronous = FULL")  # a power cut forgets no run
        if self._version() < SCHEMA:
            with self._writing() as connection:
                if self._version() < SCHEMA:  # another process may have been quicker
                    for statement in filter(str.strip, _TABLES.split(";")):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {SCHEMA}")
        if self._version() > SCHEMA:
            raise InputError(
                f"written by a newer version (schema {self._version()}, known is {SCHEMA})",
                where=str(self.path),
                fix="update lvm, or use another project folder",
            )

    def _begin_wal(self) -> None:
        """SQLite does not wait by itself when two processes switch a new file to WAL at once."""
        deadline = self.clock.monotonic() + self._busy_seconds
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
                if not busy or self.clock.monotonic() > deadline:
                    raise
                self.clock.sleep(0.02)

    def _version(self) -> int:
        with self._reading() as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._in_words():
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is done whole or not at all."""
        with self._lock, self._in_words():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._named(error) from error

    def _named(self, error: sqlite3.Error) -> LvmError:
        name, where = getattr(error, "sqlite_errorname", ""), str(self.path)
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            fix = "another process holds it for long; try again, or see what hangs (fuser lvm.db)"
            return RunError(f"locked for more than {self._busy_seconds} s", where=where, fix=fix)
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            fix = "the file and its folder must be there and writable by this user"
            return RunError(f"cannot be opened for writing: {error}", where=where, fix=fix)
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            fix = "free some space, then try again; the queue is as it was"
            return DiskError(f"cannot write: {error}", where=where, fix=fix)
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            fix = "move it away: the queue begins anew; runs and their logs are not in this file"
            return RunError(f"broken: {error}", where=where, fix=fix)
        return RunError(f"{type(error).__name__}: {error}", where=where)
