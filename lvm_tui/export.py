"""A run's numbers and picture as files: CSV for a spreadsheet, JSON for a script, SVG for a page.

Everything goes into `exports/` of the run's folder, under the same names every time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lvm.events import Batch, EpochFinished, FivecatFinished, RunStarted
from lvm.files import write_json, write_text
from lvm.records import Record
from lvm_tui.state.views import RunView

FOLDER = "exports"

_BATCH = ("step", "epoch", "loss", "cosine", "learning_rate", "samples_per_second", "time")
_EPOCH = (
    "epoch",
    "step",
    "train_loss",
    "train_cosine",
    "val_loss",
    "val_cosine",
    "learning_rate",
    "seconds",
    "val_margin",
    "ood_margin",
    "val_rollout",
    "ood_rollout",
    "gates_passed",
    "score",
)


def export(
    folder: Path,
    view: RunView,
    records: Iterable[Record],
    svg: str,
    picture: str = "dashboard.svg",
) -> list[Path]:
    """Write batches.csv, epochs.csv, run.json and the picture; returns their paths.

    records: the whole log of the run. Raises DiskError when the folder cannot be written.
    """
    batches, epochs = tables(records)
    out = folder / FOLDER
    out.mkdir(exist_ok=True)
    paths = [out / name for name in ("batches.csv", "epochs.csv", "run.json", picture)]
    write_text(paths[0], _csv(_BATCH, batches))
    write_text(paths[1], _csv(_EPOCH, epochs))
    write_json(paths[2], _document(view, epochs))
    write_text(paths[3], svg)
    return paths


def tables(records: Iterable[Record]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows by batch and by epoch, without what a resume made void."""
    batches: list[dict[str, Any]] = []
    epochs: dict[int, dict[str, Any]] = {}
    for record in records:
        event = record.event
        if isinstance(event, RunStarted):
            batches = [row for row in batches if row["step"] <= event.step]
            epochs = {n: row for n, row in epochs.items() if n <= event.epoch}
        elif isinstance(event, Batch):
            values = {name: getattr(event, name) for name in _BATCH[:-1]}
            batches.append({**values, "time": record.time})
        elif isinstance(event, EpochFinished):
            epochs[event.epoch] = {name: getattr(event, name) for name in _EPOCH[:8]}
        elif isinstance(event, FivecatFinished) and event.epoch in epochs:
            epochs[event.epoch] |= _battery(event)
    return batches, list(epochs.values())


def _battery(event: FivecatFinished) -> dict[str, Any]:
    val, ood = (event.result.get(name) or {} for name in ("VAL", "OOD"))
    return {
        "val_margin": val.get("margin"),
        "ood_margin": ood.get("margin"),
        "val_rollout": val.get("rollout"),
        "ood_rollout": ood.get("rollout"),
        "gates_passed": event.result.get("passed"),
        "score": event.score,
    }


def _csv(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _document(view: RunView, epochs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "run": view.run,
        "model": view.model,
        "device": view.device,
        "settings": view.settings,
        "data": view.data.quality if view.data is not None else None,
        "epochs": epochs,
        "fivecat": [{"epoch": cat.epoch, **cat.result} for cat in view.fivecats],
        "alerts": [
            {
                "id": alert.id,
                "level": alert.level,
                "message": alert.message,
                "epoch": alert.epoch,
                "since": alert.since,
                "times": alert.times,
                "acknowledged_by": alert.acknowledged_by,
                "acknowledged_at": alert.acknowledged_at,
            }
            for alert in view.alerts
        ],
        "outcome": view.outcome.outcome if view.outcome is not None else None,
    }
