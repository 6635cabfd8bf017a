"""What can be known of a job before anything is made for it: its device, its files.

A job that cannot work is refused where it is asked for, not hours later where its turn comes.
"""

from __future__ import annotations

from pathlib import Path

from lvm.errors import CheckpointError, DataError, InputError, LvmError, SettingsError
from lvm.runs.project import Project
from lvm.runs.who import host
from lvm.settings import DataSettings, Job, check_device_name


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


def check_test(checkpoint: Path, data: DataSettings, root: Path) -> None:
    """The files of a test. Raises DataError or CheckpointError; InputError, naming all, where it
    is the checkpoint and the data."""
    from lvm.data.preflight import check_files

    wrong: list[LvmError] = []
    if not checkpoint.exists():
        wrong.append(CheckpointError("no such file", where=str(checkpoint), fix="check the path"))
    try:
        check_files(data.changed(train=""), root=root)  # no test reads it
    except DataError as error:
        wrong.append(error)
    if len(wrong) == 2:
        named = "; ".join(f"{each.where}: {each.what}".removeprefix(": ") for each in wrong)
        raise InputError(named, fix=wrong[1].fix)
    if wrong:
        raise wrong[0]


def _trains_elsewhere(project: Project) -> bool:
    """Whether the runner that would take the job is alive on another machine, with devices of its
    own."""
    lease = project.store().lease() if project.database.exists() else None
    return lease is not None and lease.host != host()
