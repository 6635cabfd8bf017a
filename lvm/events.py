"""What happens in a run, as typed events: the only language between engine and dashboard.

The trainer yields these, the runner stamps and appends them to `events.jsonl`, and every reader
folds them. Fields are plain JSON values: no tensors, no arrays, no paths. Losses and cosines are
means over samples; times are seconds; memory is MiB; `step` counts optimiser steps from 1 over
the whole run; epochs count from 1.

Compatibility: a reader skips types and fields that it does not know; a field added later has a
default. SCHEMA rises only when an old reader would misread a new log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1

TYPES: dict[str, type[Event]] = {}
"""`type` in the log → its class."""


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; `kind()` is the `type` in the log."""

    def __init_subclass__(cls) -> None:
        TYPES[_snake(cls.__name__)] = cls

    @classmethod
    def kind(cls) -> str:
        return _snake(cls.__name__)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


# ------------------------------------------------------------------ life of a run


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """First event of a run, and again each time it is taken up after a stop or a crash."""

    run: str
    model: str
    settings: dict[str, Any]
    """TrainSettings.to_json()."""
    parameters: int
    epochs: int
    batches_per_epoch: int
    samples: dict[str, int]
    """Sequences per split: train, val, ood."""
    dim: int
    device: str
    host: str = ""
    pid: int = 0
    resumed: bool = False
    step: int = 0
    """Steps done before this start. Curve points with a larger step are void: they were lost."""
    epoch: int = 0
    """Whole epochs done before this start."""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """Last event of a run, until it is resumed."""

    outcome: str
    """completed | early_stopped | stopped | cancelled | failed"""
    epochs: int
    seconds: float
    """Time trained, summed over all starts."""
    reason: str = ""
    """Why it ended early; what, where and what to do when it failed."""
    best_epoch: int = 0
    best_val_loss: float | None = None
    best_val_cosine: float | None = None
    best_5cat_epoch: int = 0
    """Epoch of best_5cat_model.pt; 0 if no 5CAT ran."""
    summary: dict[str, Any] = field(default_factory=dict)
    """The 5CAT document of best_5cat_model.pt (FivecatFinished.result), or {}."""


@dataclass(frozen=True, slots=True)
class DataLoaded(Event):
    """The data of a run, with its quality, before any training."""

    source: str
    samples: dict[str, int]
    dim: int
    articles: int
    quality: dict[str, Any]
    """DirectionReport.to_json() of the training split."""
    alignment: dict[str, Any] = field(default_factory=dict)
    passed: bool = True
    overridden: bool = False
    """It failed and the user said to go on."""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    """What was found and mended or left out on the way, one sentence each."""


@dataclass(frozen=True, slots=True)
class ForecastMade(Event):
    """What the data allows, before any training. Follows DataLoaded."""

    forecast: dict[str, Any]
    """The `forecast` of `lvm diagnose --json`: baselines, frontier, gates; {} if there is none."""
    seconds: float = 0.0
    """It took; 0 where it was known from an earlier run on the same data."""
    cached: bool = False
    note: str = ""
    """Why there is none. The training goes on."""


@dataclass(frozen=True, slots=True)
class Batch(Event):
    """Progress within an epoch, at most ten a second; means over the batches since the last one."""

    epoch: int
    step: int
    batch: int
    """Batches done in this epoch."""
    batches: int
    loss: float
    cosine: float
    learning_rate: float
    samples_per_second: float
    memory_mb: float = 0.0
    """Resident memory of the process, or allocated on the accelerator."""


@dataclass(frozen=True, slots=True)
class EpochFinished(Event):
    epoch: int
    epochs: int
    step: int
    train_loss: float
    train_cosine: float
    val_loss: float
    val_cosine: float
    learning_rate: float
    seconds: float
    samples_per_second: float
    best: bool = False
    """Whether the validation loss is the lowest so far."""


@dataclass(frozen=True, slots=True)
class CheckpointSaved(Event):
    epoch: int
    step: int
    file: str
    """Name within the run folder."""
    bytes: int


@dataclass(frozen=True, slots=True)
class Paused(Event):
    step: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """Training goes on after a pause."""

    step: int
    by: str = ""
    seconds: float = 0.0
    """How long it was paused."""


# ------------------------------------------------------------------ 5CAT


@dataclass(frozen=True, slots=True)
class FivecatStarted(Event):
    epoch: int
    samples: int
    """Samples asked for per split."""
    horizon: int
    origin: str = "context"


@dataclass(frozen=True, slots=True)
class FivecatProgress(Event):
    epoch: int
    split: str
    test: str
    done: int
    total: int
    """Forward passes (rows) done and in all, over both splits."""


@dataclass(frozen=True, slots=True)
class FivecatFinished(Event):
    epoch: int
    step: int
    result: dict[str, Any]
    """BatteryResult.to_json(): exactly the document of `lvm 5cat --json`."""
    score: float
    seconds: float
    best: bool = False
    """Whether the score is the highest so far."""


# ------------------------------------------------------------------ things a person must know


@dataclass(frozen=True, slots=True)
class AlertRaised(Event):
    """Latched: stays on every screen until an AlertAcknowledged with the same id, or with that of
    the raising that it repeats (lvm/runs/latch.py)."""

    alert: str
    """Unique within the run: "<cause>-<n>"."""
    cause: str
    """backward_bias | skips_ahead | collapse | fivecat_failed | diverged | out_of_memory |
    slow_epoch | disk_full | device_fallback | data_quality | failed"""
    level: str
    """severe | alarm | caution | notice. All but notices flash."""
    message: str
    """One line that begins with what: "BACKWARD BIAS  VAL margin −0.084: closest to k=0, …"."""
    fix: str = ""
    epoch: int = 0
    split: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class AlertAcknowledged(Event):
    alert: str
    by: str


@dataclass(frozen=True, slots=True)
class BatchHalved(Event):
    """Out of memory: the micro-batch was halved, gradients accumulate, the batch is retried."""

    step: int
    micro_batch: int
    accumulate: int


@dataclass(frozen=True, slots=True)
class SlowEpoch(Event):
    epoch: int
    seconds: float
    median: float
    """Median seconds of the run's epochs before, or the guide's limit on MPS."""
    cause: str = ""


# ------------------------------------------------------------------ the workspace (not one run)

AFTERWARDS = "after-"


@dataclass(frozen=True, slots=True)
class TaskStarted(Event):
    """Work outside a run: encoding text, importing a file, checking data."""

    task: str
    """Unique while it runs; begins with AFTERWARDS for what follows the queue."""
    title: str


@dataclass(frozen=True, slots=True)
class TaskProgress(Event):
    task: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class TaskFinished(Event):
    task: str
    seconds: float
    ok: bool = True
    note: str = ""
    """What came of it, or the error."""
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobStarted(Event):
    job: int
    model: str
    run: str


@dataclass(frozen=True, slots=True)
class JobFinished(Event):
    job: int
    model: str
    run: str
    state: str
    """done | failed | stopped | cancelled"""
    note: str = ""


@dataclass(frozen=True, slots=True)
class GateFailed(Event):
    """A run came to its end, or was stopped for severe backward bias, and is not ready for
    production."""

    job: int
    model: str
    run: str
    missing: list[str]
    """What keeps it from production, one sentence each."""
    then: str
    """What the queue does: go_on | stop_queue | retry_forward"""
    words: str = ""
    """What is missing most, and what the queue does about it."""
    next_job: int = 0
    """The job that tries again; 0 if none does."""


@dataclass(frozen=True, slots=True)
class QueueFinished(Event):
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class NotifyFailed(Event):
    """A notification did not go out; told once a way, however often it fails."""

    way: str
    """command | webhook | settings"""
    reason: str
    """Without addresses, tokens or what a command printed: those may be secrets."""


# ------------------------------------------------------------------ promotions


@dataclass(frozen=True, slots=True)
class PromotionStarted(Event):
    """A promotion, a rollback, or what finishes or undoes one that was interrupted.

    FivecatProgress (epoch 0) follows while its full 5CAT runs.
    """

    change: str
    """Unique; all events of one change carry it, and so does its entry in the ledger."""
    action: str
    """promote | rollback | finish | undo"""
    name: str
    """Of the service: its link is NAME_v0.pt."""
    file: str
    by: str


@dataclass(frozen=True, slots=True)
class PromotionStep(Event):
    change: str
    step: str
    """load | fivecat | policy | plan | backup | link | metadata | service | ledger, and
    put_back | service_back where a change that failed is taken back."""
    state: str
    """started | done | skipped | failed"""
    words: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PromotionFinished(Event):
    change: str
    name: str
    outcome: str
    """promoted | rolled_back | refused | declined | planned | failed | undone"""
    words: str
    missing: list[str] = field(default_factory=list)
    """refused: what keeps the file from production, one sentence each."""
    entry: int = 0
    """Its entry in the ledger; 0 if it has none."""
    alarm: bool = False
    """failed: a person must look now: what stood before could not be verified either."""
