"""The list of runs as files: CSV for a spreadsheet, JSON with curves and settings for a script."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lvm.files import write_json, write_text
from lvm_tui.state.catalog import Details

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


def export_runs(folder: Path, runs: Sequence[Details]) -> list[Path]:
    """Write runs.csv and runs.json into the folder; returns their paths.

    Raises DiskError when the disk is full, OSError when the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, document = folder / "runs.csv", folder / "runs.json"
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(asdict(run.summary) for run in runs)
    write_text(table, text.getvalue())
    write_json(document, {"runs": [_document(run) for run in runs]})
    return [table, document]


def _document(run: Details) -> dict[str, Any]:
    summary = asdict(run.summary)
    return {
        **{name: summary[name] for name in COLUMNS},
        "settings": run.settings,
        "history": list(run.history),
    }
