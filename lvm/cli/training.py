"""`lvm train` and `lvm queue`: what trains, in which order."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from lvm.cli.beforehand import check_job
from lvm.cli.job_words import data_words, settings_words
from lvm.cli.output import Output
from lvm.errors import InputError
from lvm.presets import PRESETS
from lvm.runs.jobs import ACTIVE, JobRow
from lvm.runs.project import Project
from lvm.settings import DataSettings, Job, TrainSettings

_DATA_FLAGS = {
    "data_train": "train",
    "data_val": "val",
    "data_ood": "ood",
    "data_articles": "articles",
    "bank": "bank",
    "val_articles": "val_articles",
    "ood_articles": "ood_articles",
}
_FILE_FLAGS = ("train", "val", "ood", "articles", "bank")

_TRAIN_FLAGS = (
    "epochs",
    "device",
    "batch_size",
    "learning_rate",
    "objective",
    "precision",
    "compile",
    "early_stop",
    "on_severe",
    "on_gate_failure",
    "forecast",
    "accept_bad_data",
    "seed",
)


def job_of(arguments: Namespace, project: Project) -> Job:
    """lvm.toml's settings, changed by the preset and the flags that were given."""
    config = project.config()
    preset = PRESETS[arguments.preset] if arguments.preset else {}
    given = {**preset} | {
        name: value
        for name in _TRAIN_FLAGS
        if (value := getattr(arguments, name, None)) is not None
    }
    model = getattr(arguments, "model", None)
    train: TrainSettings = config.train.changed(**given, **({"model": model} if model else {}))
    return Job(train=train, data=_data_of(arguments, config.data, project.root))


def _data_of(arguments: Namespace, configured: DataSettings, root: Path) -> DataSettings:
    given = {
        name: value
        for flag, name in _DATA_FLAGS.items()
        if (value := getattr(arguments, flag, None)) is not None
    }
    if any(name in given for name in _FILE_FLAGS):
        data = DataSettings(**given)
    else:
        data = configured.changed(**given)
    if not data.complete:
        from lvm.data.preflight import check_files

        check_files(data, root=root)  # a file that is not there is the nearer reason
        named = [name for name in _FILE_FLAGS[:4] if getattr(data, name)]
        missing = [f"--{name}" for name in _FILE_FLAGS[:4] if name not in named]
        raise InputError(
            f"the training data is not complete: {', '.join(missing)} missing"
            if named
            else "no training data",
            fix="give --bank, or --train, --val, --ood and --articles, or set [data] in lvm.toml",
        )
    return data


def _checked_job(arguments: Namespace, project: Project, output: Output) -> Job:
    """`job_of`, refused where it is known that it cannot work."""
    job = job_of(arguments, project)
    check_job(job, project, output)
    return job


def _project(arguments: Namespace) -> Project:
    return Project(Path(arguments.root))


def train(arguments: Namespace, output: Output) -> int:
    from lvm.cli.headless import train_one

    project = _project(arguments)
    return train_one(project, _checked_job(arguments, project, output), output)


def queue_run(arguments: Namespace, output: Output) -> int:
    from lvm.cli.headless import run_queue

    return run_queue(_project(arguments), output, wait=arguments.wait)


def queue_add(arguments: Namespace, output: Output) -> int:
    project = _project(arguments)
    job = _checked_job(arguments, project, output)
    number = project.store().add_job(job)
    return _told(output, {"added": [number]}, f"job {number}: {arguments.model}")


def queue_all(arguments: Namespace, output: Output) -> int:
    project = _project(arguments)
    job = _checked_job(arguments, project, output)
    numbers = project.store().add_all(job)
    return _told(output, {"added": numbers}, f"jobs {numbers[0]} to {numbers[-1]}: all four models")


def queue_list(arguments: Namespace, output: Output) -> int:
    project = _project(arguments)
    jobs = _jobs_and_states(project) if project.database.exists() else []
    if output.as_json:
        output.document({"jobs": [_job_document(job, state) for job, state in jobs]})
    elif not jobs:
        output.line("the queue is empty: lvm queue all, or lvm queue add MODEL")
    else:
        head = ["job", "model", "state", "run", "data", "settings", "note"]
        output.table(head, [_job_row(job, state) for job, state in jobs])
    return 0


def _jobs_and_states(project: Project) -> list[tuple[JobRow, str]]:
    """A job that was begun and that nobody trains, for its runner was killed, is interrupted."""
    store = project.store()
    alive = store.lease() is not None  # before the jobs: one that has just begun has its runner
    stranded = () if alive else ACTIVE
    return [(job, "interrupted" if job.state in stranded else job.state) for job in store.jobs()]


def _job_row(row: JobRow, state: str) -> list[str]:
    data, settings = data_words(row.job.data), settings_words(row.job)
    return [str(row.id), row.model, state, row.run, data, settings, row.note]


def _job_document(job: JobRow, state: str) -> dict[str, Any]:
    return {
        "job": job.id,
        "model": job.model,
        "state": state,
        "run": job.run,
        "note": job.note,
        "settings": job.job.to_json(),
    }


def queue_move(arguments: Namespace, output: Output) -> int:
    _project(arguments).store().move_job(arguments.job, arguments.to)
    return _told(output, {"moved": arguments.job}, f"job {arguments.job} moved {arguments.to}")


def queue_remove(arguments: Namespace, output: Output) -> int:
    _project(arguments).store().remove_job(arguments.job)
    return _told(output, {"removed": arguments.job}, f"job {arguments.job} removed")


def queue_retry(arguments: Namespace, output: Output) -> int:
    project = _project(arguments)
    store = project.store()
    check_job(store.job(arguments.job).job, project, output)
    store.retry_job(arguments.job)
    return _told(output, {"retried": arguments.job}, f"job {arguments.job} queued again")


def queue_pause(arguments: Namespace, output: Output) -> int:
    return _send(arguments, output, "pause")


def queue_resume(arguments: Namespace, output: Output) -> int:
    return _send(arguments, output, "resume")


def queue_stop(arguments: Namespace, output: Output) -> int:
    return _send(arguments, output, "stop")


def queue_skip(arguments: Namespace, output: Output) -> int:
    return _send(arguments, output, "skip")


def queue_acknowledge(arguments: Namespace, output: Output) -> int:
    return _send(arguments, output, "acknowledge", arguments.alert)


def _send(arguments: Namespace, output: Output, kind: str, argument: str = "") -> int:
    store = _project(arguments).store()
    if store.lease() is None:
        raise InputError(
            f"nobody is there to {kind}: no runner is alive in this project",
            where=str(Path(arguments.root).resolve()),
            fix="start one with lvm-tui or lvm queue run",
        )
    store.send(kind, argument)
    return _told(output, {"sent": kind}, f"{kind}: sent to the runner")


def _told(output: Output, document: dict[str, Any], words: str) -> int:
    if output.as_json:
        output.document(document)
    else:
        output.line(words)
    return 0
