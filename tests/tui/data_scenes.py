"""Runs whose data and forecast screen 5 shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lvm.events import DataLoaded

from .disk import Disk
from .scripted import START, Plan, Script, begin, end, epoch, fivecat, forecast, loaded

PLAN = Plan(epochs=2, batches=4)

ALIGNED = {
    "val": {"known": True, "shift": 0, "matched": 1.0, "words": "VAL targets stand where they say"},
    "ood": {"known": True, "shift": -1, "matched": 0.997, "words": ""},
}


def with_data(root: Path, *, good: bool = True, **changes: object) -> Disk:
    disk = Disk(root)
    script = Script()
    begin(script, PLAN)
    loaded(script, replace(PLAN, good_data=good))
    last = script.records[-1]
    event = last.event
    assert isinstance(event, DataLoaded)
    changes = {"alignment": ALIGNED, **changes}
    script.records[-1] = replace(last, event=replace(event, **changes))  # type: ignore[arg-type]
    epoch(script, PLAN, 1)
    disk.write_run(PLAN.run, script)
    return disk


def with_forecast(root: Path, *, within: bool = False) -> Disk:
    """Two models trained on the same data, the second still trains."""
    disk = Disk(root, trains=True)
    disk.store.add_all(disk.job())
    first = Plan(epochs=10, batches=4, margins=(-0.03, 0.014))
    script = Script()
    begin(script, first)
    loaded(script, first)
    forecast(script, within=within)
    for number in range(1, 11):
        epoch(script, first, number)
        if number % 5 == 0:
            fivecat(script, first, number, first.margins[number // 5 - 1])
    end(script, first)
    disk.write_run(first.run, script)
    disk.ran(first.run, "done", 60)
    second = replace(first, run="gru_5cat_20251030_223000", model="gru", margins=(-0.084,))
    script = Script(now=START + 1800)
    begin(script, second)
    loaded(script, second)
    forecast(script, within=within)
    for number in range(1, 6):
        epoch(script, second, number)
    fivecat(script, second, 5, -0.084)
    disk.write_run(second.run, script)
    disk.ran(second.run, "running", 0)
    return disk
