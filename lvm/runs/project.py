"""A project folder: where its settings, its store, its logs and its runs are."""

from __future__ import annotations

import threading
from pathlib import Path

from lvm.clock import Clock, SystemClock
from lvm.config import Config, load_config
from lvm.errors import DiskError, InputError
from lvm.runs.folder import RunFolder, RunState, RunSummary, list_runs
from lvm.runs.jobs import ACTIVE
from lvm.runs.store import Store
from lvm.settings import DataSettings


class Project:
    """`Project(root)` touches nothing; `store()` makes `artifacts/lvm/` when it is first asked."""

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self.root = root
        self.clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._store: Store | None = None

    @property
    def folder(self) -> Path:
        """`artifacts/lvm`: all that lvm writes."""
        return self.root / "artifacts" / "lvm"

    @property
    def database(self) -> Path:
        return self.folder / "lvm.db"

    @property
    def events(self) -> Path:
        """The log of what belongs to no single run: tasks, jobs, the end of the queue."""
        return self.folder / "events.jsonl"

    @property
    def models(self) -> Path:
        """The folder of the run folders."""
        return self.folder / "models"

    def config(self) -> Config:
        """`lvm.toml`, read anew. Raises SettingsError."""
        return load_config(self.root)

    def check_data(self, data: DataSettings) -> None:
        """Look at the headers of the files that a job is to be trained on.

        Raises InputError where some are not named, DataError for what cannot be used.
        """
        from lvm.data.preflight import check_data

        if not data.complete:
            four = ("train", "val", "ood", "articles")
            missing = [name for name in four if not getattr(data, name)]
            raise InputError(
                f"not named: {', '.join(missing)}" if len(missing) < len(four) else "no data",
                fix="name a bank, or all of train, val, ood and articles",
            )
        check_data(data, root=self.root)

    def store(self) -> Store:
        """The store, made if it is not there; one for all threads of this Project. Raises what
        `Store` raises, DiskError if its folder cannot be made."""
        with self._lock:
            if self._store is None:
                try:
                    self.folder.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise DiskError(
                        f"cannot be made: {error.strerror}",
                        where=str(self.folder),
                        fix="the project folder must be there and writable by this user",
                    ) from error
                self._store = Store(self.database, self.clock)
            return self._store

    def run(self, word: str) -> RunFolder:
        """The run that a word names; see `RunFolder.find`."""
        return RunFolder.find(self.models, word)

    def runs(self) -> list[RunSummary]:
        """All runs, the latest first; a project that was never used stays untouched."""
        return list_runs(self.models, self._active_runs() if self.database.exists() else None)

    def _active_runs(self) -> dict[str, RunState]:
        store = self.store()
        if store.lease() is None:
            return {}
        return {
            row.run: "paused" if row.state == "paused" else "running"
            for row in store.jobs()
            if row.state in ACTIVE and row.run
        }
