"""What the queue and the runs are read from and written to, besides what `Live` needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lvm_tui.live import Desk

if TYPE_CHECKING:
    from lvm.runs.project import Project
    from lvm.runs.store import Store
    from lvm.service.manager import Manager
    from lvm.settings import DataSettings, Job
    from lvm_tui.promoting import Promoting


class ProjectDesk(Desk, Protocol):
    """A project folder: its store, its runs, its settings."""

    @property
    def store(self) -> Store: ...

    @property
    def models(self) -> Path:
        """The folder of the run folders."""
        ...

    @property
    def project(self) -> Project: ...

    def new_job(self) -> Job:
        """What a job begins with: lvm.toml. Raises SettingsError when that cannot be read."""
        ...

    def check(self, data: DataSettings) -> None:
        """Look at the headers of its files. Raises InputError where some are not named, DataError
        for what cannot be trained on."""
        ...

    def services(self) -> Manager:
        """The HTTP services, by lvm.toml as it is now. Raises SettingsError."""
        ...

    def promoting(self) -> Promoting:
        """What is in production, and the command that changes it."""
        ...
