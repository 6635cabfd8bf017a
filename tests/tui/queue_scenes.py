"""Queues and runs as they come to be: through the real store, with the logs of their runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lvm.events import EpochFinished, RunFinished
from lvm.files import write_json
from lvm.records import Record

from .disk import Disk
from .scripted import START, Plan, Script, begin, epoch, loaded, whole_run

DONE = Plan(epochs=20, batches=8, batch_seconds=1.2)
FAILED = Plan(run="gru_5cat_20251030_223000", model="gru", epochs=20, batches=8, batch_seconds=1.2)
TRAINS = Plan(
    run="lstm_5cat_20251030_224000",
    model="lstm",
    epochs=20,
    batches=8,
    batch_seconds=1.2,
    margins=(0.03, 0.09, 0.12, 0.15),
)
WHY = "the loss became NaN at step 17 → lower the learning rate, or look at the data"


def four_models(root: Path) -> Disk:
    """Transformer done, GRU failed, LSTM trains, AMN and another Transformer wait."""
    disk = Disk(root, trains=True)
    disk.write_bank()
    disk.store.add_all(disk.job())
    script = Script()
    whole_run(script, DONE)
    disk.write_run(DONE.run, script)
    disk.ran(DONE.run, "done", 900)

    script = Script(now=START + 1800)
    begin(script, FAILED)
    loaded(script, FAILED)
    epoch(script, FAILED, 1)
    epoch(script, FAILED, 2)
    script.add(RunFinished("failed", epochs=2, seconds=24.0, reason=WHY, best_epoch=2))
    disk.write_run(FAILED.run, script)
    disk.ran(FAILED.run, "failed", 60, WHY)

    script = Script(now=START + 2400)
    whole_run(script, TRAINS, until_epoch=6)
    epoch(script, TRAINS, 7, until=3)
    disk.write_run(TRAINS.run, script)
    disk.ran(TRAINS.run, "running", 0)
    disk.store.add_job(disk.job(model="transformer", epochs=40, batch_size=128, seed=3))
    return disk


AMN = Plan(
    run="amn_5cat_20251030_231500",
    model="amn",
    epochs=20,
    batches=8,
    batch_seconds=0.2,
    margins=(-0.02, 0.02, 0.05, 0.07),
)
OTHER_TOOL = "gru_5cat_20251028_101500"
"""A run of the scripts of before: no log, no run.json."""


def many_runs(root: Path) -> Disk:
    """Those of `four_models`, an AMN that learns worse, and a run that another tool made."""
    disk = four_models(root)
    script = Script(now=START + 4500)
    whole_run(script, AMN)
    script.records = [_worse(record) for record in script.records]
    disk.write_run(AMN.run, script, disk.job(model="amn", learning_rate=1e-3, batch_size=64))
    folder = disk.desk.models / OTHER_TOOL
    folder.mkdir()
    epochs = [
        {"epoch": n, "val_loss": 0.0014 - 0.0001 * n, "val_cosine": 0.5 + 0.01 * n}
        for n in range(1, 4)
    ]
    write_json(folder / "training_history.json", epochs)
    return disk


def _worse(record: Record) -> Record:
    event = record.event
    if not isinstance(event, EpochFinished):
        return record
    worse = replace(event, val_loss=event.val_loss + 0.0003, val_cosine=event.val_cosine - 0.06)
    return replace(record, event=worse)
