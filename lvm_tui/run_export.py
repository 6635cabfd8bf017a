"""Runs as files: CSV for a spreadsheet, JSON for a script, SVG for a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lvm.files import write_json, write_text
from lvm_tui.export import FOLDER, export
from lvm_tui.live import Reader, whole_log
from lvm_tui.state.catalog import Details
from lvm_tui.state.fold import fold_all
from lvm_tui.state.views import RunView

COLUMNS = (
    "name",
    "model",
    "state",
    "started",
    "epochs",
    "epochs_asked",
    "best_epoch",
    "best_val_loss",
    "best_val_cosine",
    "best_5cat_epoch",
    "val_margin",
    "ood_margin",
    "score",
    "gates",
    "ready",
    "reason",
)


PICTURE = "runs.svg"


def export_one(folder: Path, run: Details, log: Callable[[], Reader], svg: str) -> list[Path]:
    """One run into `exports/` of its own folder; returns the paths of the files.

    All that its log tells, as the dashboard's export has it; of a run that has no log what the
    list knows of it. log: a reader of the whole log. Raises as `export_runs` does.
    """
    view = fold_all(RunView(), whole_log(log()))
    if not view.run:
        return export_runs(folder / FOLDER, [run], svg)
    return export(folder, view, whole_log(log()), svg, PICTURE)


def export_runs(folder: Path, runs: Sequence[Details], svg: str) -> list[Path]:
    """Write runs.csv, runs.json and runs.svg into the folder; returns their paths.

    Raises DiskError when the disk is full, OSError when the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, document, picture = folder / "runs.csv", folder / "runs.json", folder / PICTURE
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(asdict(run.summary) for run in runs)
    write_text(table, text.getvalue())
    write_json(document, {"runs": [_document(run) for run in runs]})
    write_text(picture, svg)
    return [table, document, picture]


def _document(run: Details) -> dict[str, Any]:
    summary = asdict(run.summary)
    return {
        **{name: summary[name] for name in COLUMNS},
        "settings": run.settings,
        "history": list(run.history),
    }
