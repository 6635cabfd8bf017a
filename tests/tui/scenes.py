"""Workspaces at telling moments."""

from __future__ import annotations

from dataclasses import replace

from lvm import events as e
from lvm_tui.state.views import JobRow, RunnerView

from .scripted import (
    Plan,
    Script,
    begin,
    end,
    epoch,
    fivecat,
    loaded,
    preparation,
    training,
    whole_run,
)
from .sources import FOUR, MemoryWorkspace

PLAN = Plan()
IDLE = RunnerView()


def training_with_alert() -> MemoryWorkspace:
    """The picture of the design: epoch 7 of 20, backward bias at epoch 5."""
    return MemoryWorkspace({PLAN.run: training()}, jobs=FOUR)


def going_well() -> MemoryWorkspace:
    """Epoch 16 of 20, three good batteries behind it."""
    plan = replace(PLAN, margins=(0.062, 0.128, 0.171, 0.18))
    script = Script()
    whole_run(script, plan, until_epoch=15)
    epoch(script, plan, 16, until=60)
    return MemoryWorkspace({plan.run: script}, jobs=FOUR)


def testing() -> MemoryWorkspace:
    """In the middle of the second battery."""
    plan = replace(PLAN, margins=(0.062,))
    script = Script()
    whole_run(script, plan, until_epoch=9)
    epoch(script, plan, 10)
    fivecat(script, plan, 10, 0.1, until=70)
    return MemoryWorkspace({plan.run: script}, jobs=FOUR)


def paused() -> MemoryWorkspace:
    desk = going_well()
    desk.runs[PLAN.run].add(e.Paused(step=1260, by="ada"))
    first, *rest = FOUR
    desk.rows = (replace(first, state="paused"), *rest)
    return desk


def preparing() -> MemoryWorkspace:
    """The demo's workspace is being built; no run is there yet."""
    script = Script()
    preparation(script)
    script.records = script.records[:9]
    return MemoryWorkspace({}, workspace=script, runner=RunnerView(alive=True, here=True))


def data_is_checked(*, good: bool = True) -> MemoryWorkspace:
    """Prepared, loaded and checked; the first batch is still to come."""
    tasks = Script()
    preparation(tasks)
    plan = replace(PLAN, good_data=good)
    script = Script(now=tasks.now)
    begin(script, plan)
    loaded(script, plan)
    return MemoryWorkspace({plan.run: script}, workspace=tasks, jobs=FOUR)


def queue_finished() -> MemoryWorkspace:
    """All four done: one ready, one short of it, one stopped for backward bias, one failed."""
    runs: dict[str, Script] = {}
    rows: list[JobRow] = []
    plans = [
        Plan("transformer_5cat_20251030_220000", "transformer"),
        Plan("gru_5cat_20251030_230000", "gru", margins=(0.05, 0.121, 0.16, 0.175)),
        Plan("lstm_5cat_20251030_233000", "lstm", margins=(0.01, 0.03, 0.06, 0.07)),
    ]
    now = Script().now
    for number, plan in enumerate(plans, start=1):
        script = Script(now=now)
        whole_run(script, plan)
        now = script.now
        runs[plan.run] = script
        rows.append(JobRow(number, plan.model, "done", plan.run))
    for alert in ("VAL", "OOD"):
        runs[plans[0].run].add(e.AlertAcknowledged(f"backward_bias-5-{alert}", "ada"))
    amn = Plan("amn_5cat_20251031_000000", "amn", margins=())
    script = Script(now=now)
    begin(script, amn)
    loaded(script, amn)
    epoch(script, amn, 1, until=7)
    end(script, amn, "failed", "the loss became NaN at step 7")
    runs[amn.run] = script
    rows.append(JobRow(4, "amn", "failed", amn.run, "the loss became NaN at step 7"))
    tail = Script(now=script.now)
    tail.add(e.QueueFinished(done=3, failed=1))
    return MemoryWorkspace(runs, workspace=tail, jobs=rows, runner=IDLE)


def empty() -> MemoryWorkspace:
    return MemoryWorkspace({}, runner=IDLE)


def left_behind() -> MemoryWorkspace:
    """A run whose runner was killed."""
    desk = going_well()
    desk.holder = IDLE
    return desk
