"""What can be known of a job before anything is made for it: its device, its files.

A job that cannot work is refused where it is asked for, not hours later where its turn comes.
"""

from __future__ import annotations

from lvm.errors import SettingsError
from lvm.runs.project import Project
from lvm.runs.who import host
from lvm.settings import Job, check_device_name


def check_job(job: Job, project: Project, *, device_of: str) -> None:
    """device_of: what names the device, for the error. Raises SettingsError for a device that is
    not there, DataError for files that cannot be used. Makes nothing, not even the database."""
    from lvm.data.preflight import check_data

    if not _trains_elsewhere(project):
        check_device(job.train.device, device_of)
    check_data(job.data, root=project.root)


def check_device(name: str, where: str = "--device") -> None:
    """where: what names it. Raises SettingsError unless this machine has the device; torch is
    imported only to ask for what not every machine has."""
    check_device_name(name)
    if name not in ("auto", "cpu"):
        from lvm.training.device import require_device

        try:
            require_device(name)
        except SettingsError as error:
            raise SettingsError(error.what, where=where, fix=error.fix) from None


def _trains_elsewhere(project: Project) -> bool:
    """Whether the runner that would take the job is alive on another machine, with devices of its
    own."""
    lease = project.store().lease() if project.database.exists() else None
    return lease is not None and lease.host != host()
