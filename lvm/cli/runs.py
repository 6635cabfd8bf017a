"""`lvm runs`: what was trained, how it compares, and going on with it."""

from __future__ import annotations

import dataclasses
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from lvm.cli.beforehand import check_job
from lvm.cli.job_words import shown
from lvm.cli.output import Output
from lvm.cli.report import fivecat_lines, number
from lvm.errors import InputError
from lvm.runs.folder import RunSummary, best_entries
from lvm.runs.project import Project
from lvm.settings import Job

_NUMBERS = ("best_val_loss", "best_val_cosine", "val_margin", "ood_margin", "score", "gates")


def list_all(arguments: Namespace, output: Output) -> int:
    found = Project(Path(arguments.root)).runs()
    if output.as_json:
        output.document({"runs": [_document(run) for run in found]})
    elif not found:
        output.line("no runs yet: lvm train MODEL, or lvm queue all and lvm queue run")
    else:
        head = ["run", "state", "epochs", "val cosine", "val margin", "ood margin", "gates", ""]
        output.table(head, [_row(run) for run in found])
    return 0


def _row(run: RunSummary) -> list[str]:
    asked = f"/{run.epochs_asked}" if run.epochs_asked else ""
    return [
        run.name,
        run.state,
        f"{run.epochs}{asked}",
        _short(run.best_val_cosine),
        _short(run.val_margin, signed=True),
        _short(run.ood_margin, signed=True),
        f"{run.gates}/5" if run.gates is not None else "–",
        "ready" if run.ready else "",
    ]


def _short(value: float | None, signed: bool = False) -> str:
    return "–" if value is None else number(value, signed)


def _document(run: RunSummary) -> dict[str, Any]:
    return dataclasses.asdict(run) | {"path": str(run.path)}


def show(arguments: Namespace, output: Output) -> int:
    project = Project(Path(arguments.root))
    folder = project.run(arguments.run)
    summary = next(run for run in project.runs() if run.name == folder.name)
    history = folder.history()
    _, tested = best_entries(history)
    if output.as_json:
        output.document({"run": _document(summary), "record": folder.record(), "history": history})
        return 0
    output.line(f"{summary.name}  {summary.state}, {summary.epochs} epochs", "bold")
    if summary.reason:
        output.line(summary.reason)
    if summary.started:
        output.line(time.strftime("started %Y-%m-%d %H:%M:%S", time.localtime(summary.started)))
    output.line(f"files in {folder.path}")
    if tested is None:
        output.line("no 5CAT has run yet")
    else:
        output.line(f"best 5CAT: epoch {tested['epoch']}", "bold")
        output.lines(fivecat_lines(tested["5cat"]))
    return 0


def compare(arguments: Namespace, output: Output) -> int:
    project = Project(Path(arguments.root))
    folders = [project.run(word) for word in arguments.run]
    summaries = {run.name: run for run in project.runs()}
    chosen = [summaries[folder.name] for folder in folders]
    differing = _differing([_flat(folder.record().get("job", {})) for folder in folders])
    if output.as_json:
        output.document({"runs": [_document(run) for run in chosen], "settings": differing})
        return 0
    rows = [[name, *map(shown, values)] for name, values in differing.items()]
    rows += [
        [name.replace("_", " "), *(_cell(getattr(run, name)) for run in chosen)]
        for name in _NUMBERS
    ]
    output.table(["", *(run.name for run in chosen)], rows)
    return 0


def _differing(jobs: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Setting → its value in each job, where they are not all the same."""
    names = sorted(set().union(*jobs))
    values = {name: [job.get(name) for job in jobs] for name in names}
    return {name: each for name, each in values.items() if any(v != each[0] for v in each)}


def _flat(job: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{part}.{name}": value for part, values in job.items() for name, value in values.items()
    }


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.6g}".replace("-", "−")


def resume(arguments: Namespace, output: Output) -> int:
    from lvm.cli.headless import train_one

    project = Project(Path(arguments.root))
    folder = project.run(arguments.run)
    if not folder.can_resume:
        raise InputError(
            "has no last.pt to go on from",
            where=str(folder.path),
            fix="start a new run with lvm train",
        )
    job = folder.job()
    asked = {"epochs": arguments.epochs, "device": arguments.device}
    changes = {name: value for name, value in asked.items() if value is not None}
    job = Job(train=job.train.changed(**changes), data=job.data)
    check_job(job, project, output)
    return train_one(project, job, output, run=folder.name)
