"""Queues as they come to be: through the real store, with the logs of their runs."""

from __future__ import annotations

from pathlib import Path

from lvm.events import RunFinished

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
