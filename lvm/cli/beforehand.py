"""What can be known of a job before anything is made for it: its device, its files.

A job that cannot work is refused where it is asked for, not hours later where its turn comes.
"""

from __future__ import annotations

from pathlib import Path

from lvm.cli.output import Output
from lvm.errors import CheckpointError, DataError, InputError, LvmError
from lvm.runs.project import Project
from lvm.runs.who import host
from lvm.settings import DataSettings, Job, check_device_name


def check_job(job: Job, project: Project, output: Output) -> None:
    """Raises SettingsError or DataError; warns where it will train on the CPU instead of the device
    that was asked for. Makes nothing, not even the database."""
    from lvm.data.preflight import check_data

    check_data(job.data, root=project.root)
    if not _trains_elsewhere(project):
        check_device(job.train.device, output)


def check_device(name: str, output: Output) -> None:
    """Raises SettingsError for what names no device; warns of one that is not there. torch is
    imported only to ask for what not every machine has."""
    check_device_name(name)
    if name not in ("auto", "cpu"):
        from lvm.training.device import choose_device

        _, warning = choose_device(name)
        if warning:
            output.message(warning, "warn")


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
