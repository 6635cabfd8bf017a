"""What screens are given: immutable, plain values only, compared by equality."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from lvm.settings import Job
from lvm_tui.state.curves import Curve

Phase = Literal["loading", "training", "validating", "testing", "paused", "finished"]

FLASHING = ("severe", "alarm", "caution")
"""Levels of alerts that flash until acknowledged."""

COUNTING = ("severe", "alarm")
"""Levels of backward-bias alerts that keep a run from production."""


@dataclass(frozen=True, slots=True)
class LogLine:
    time: float
    level: str
    """plain | good | notice | alarm"""
    text: str


@dataclass(frozen=True, slots=True)
class Epoch:
    """One finished epoch."""

    epoch: int
    step: int
    train_loss: float | None
    train_cosine: float | None
    val_loss: float | None
    val_cosine: float | None
    seconds: float
    best: bool


@dataclass(frozen=True, slots=True)
class Fivecat:
    """One finished 5CAT battery."""

    epoch: int
    step: int
    result: dict[str, Any]
    """The document of `lvm 5cat --json`."""
    score: float
    best: bool


@dataclass(frozen=True, slots=True)
class Testing:
    """A 5CAT battery that is running."""

    epoch: int
    test: str = ""
    split: str = ""
    done: int = 0
    total: int = 0
    started: float = 0.0
    """When it began."""

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    def seconds(self, now: float) -> float | None:
        """What all of it will take, by what was done until now; None before anything was."""
        return (now - self.started) / self.share if self.share and now > self.started else None


@dataclass(frozen=True, slots=True)
class Alert:
    """Latched: open until somebody acknowledges it; what a later epoch repeats is part of it."""

    run: str
    id: str
    """Of its first raising."""
    cause: str
    level: str
    message: str
    """Of its last raising, as `fix` and `epoch`."""
    fix: str
    epoch: int
    time: float
    """Of its first raising."""
    acknowledged_by: str | None = None
    acknowledged_at: float | None = None
    split: str = ""
    since: int = 0
    """The epoch of its first raising."""
    ids: tuple[str, ...] = ()
    """Of all its raisings."""

    @property
    def times(self) -> int:
        """How often it was raised."""
        return max(len(self.ids), 1)

    @property
    def epochs(self) -> str:
        """When, in words; "" where that is no matter of epochs."""
        if not self.epoch:
            return ""
        if self.times == 1:
            return f"epoch {self.epoch}"
        return f"epochs {self.since}–{self.epoch}, {self.times} times"

    @property
    def open(self) -> bool:
        return self.acknowledged_by is None

    @property
    def flashing(self) -> bool:
        return self.open and self.level in FLASHING

    @property
    def backward_bias(self) -> bool:
        """Whether it keeps the run from production."""
        return self.cause == "backward_bias" and self.level in COUNTING


@dataclass(frozen=True, slots=True)
class Data:
    """The data of a run and its quality."""

    source: str
    samples: dict[str, int]
    articles: int
    quality: dict[str, Any]
    """The direction report: samples, coherence, position_to_target, signal, checks, words, fix."""
    alignment: dict[str, Any]
    passed: bool
    overridden: bool
    dim: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the data allows, made before the training; see state/outlook.py for what it says."""

    document: dict[str, Any]
    """The `forecast` of `lvm diagnose --json`, with "arrow"; {} if it could not be made."""
    seconds: float = 0.0
    cached: bool = False
    note: str = ""
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    outcome: str
    reason: str
    epochs: int
    seconds: float
    best_epoch: int
    best_val_loss: float | None
    best_val_cosine: float | None
    best_5cat_epoch: int
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast batches pass; for the time that is left."""

    epoch: int = 0
    batch: int = 0
    time: float = 0.0
    seconds_per_batch: float | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """One run, as far as its log has been read."""

    run: str = ""
    model: str = ""
    device: str = ""
    host: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0
    samples: dict[str, int] = field(default_factory=dict)
    epochs: int = 0
    batches: int = 0
    """Batches of one epoch."""

    phase: Phase = "loading"
    outcome: Outcome | None = None
    data: Data | None = None
    forecast: Forecast | None = None
    """None before it was made, and where the job leaves it out."""

    epoch: int = 0
    """The epoch that is being trained, from 1."""
    batch: int = 0
    """Batches done in it."""
    step: int = 0
    learning_rate: float | None = None
    samples_per_second: float | None = None
    memory_mb: float = 0.0

    history: tuple[Epoch, ...] = ()
    loss: Curve = field(default_factory=Curve)
    cosine: Curve = field(default_factory=Curve)

    fivecats: tuple[Fivecat, ...] = ()
    testing: Testing | None = None
    fivecat_seconds: float = 0.0
    alerts: tuple[Alert, ...] = ()
    log: tuple[LogLine, ...] = ()

    pace: Pace = Pace()
    time: float = 0.0
    """Time of the last event."""
    records: int = 0
    """Events read."""

    @property
    def fivecat(self) -> Fivecat | None:
        """The newest battery."""
        return self.fivecats[-1] if self.fivecats else None

    @property
    def best_epoch(self) -> Epoch | None:
        """The epoch of the lowest validation loss so far."""
        return next((epoch for epoch in reversed(self.history) if epoch.best), None)

    @property
    def best_fivecat(self) -> Fivecat | None:
        """The battery of the highest score so far."""
        return next((fivecat for fivecat in reversed(self.fivecats) if fivecat.best), None)

    @property
    def next_fivecat(self) -> int | None:
        """The next epoch after which 5CAT runs; None when there is none left."""
        every = int(self.settings.get("fivecat_every", 0) or 0)
        tested = self.fivecats[-1].epoch if self.fivecats else 0
        for epoch in range(max(self.epoch, tested + 1, 1), self.epochs + 1):
            if epoch == self.epochs or (every and epoch % every == 0):
                return epoch
        return None

    @property
    def share(self) -> float:
        """How much of the run is done, 0 to 1."""
        if not self.epochs or not self.batches:
            return 0.0
        done = max(self.epoch - 1, 0) + min(self.batch / self.batches, 1.0)
        return min(done / self.epochs, 1.0)

    @property
    def bias_alerts(self) -> int:
        """Backward-bias alerts in the history, acknowledged ones included."""
        return sum(alert.times for alert in self.alerts if alert.backward_bias)

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the epochs, batches and batteries seen; None while nothing is known."""
        if self.phase == "finished" or not self.batches or not self.epochs:
            return None
        recent = sorted(row.seconds for row in self.history[-3:])
        if recent:
            an_epoch = recent[len(recent) // 2]
        elif self.pace.seconds_per_batch is not None:
            an_epoch = self.pace.seconds_per_batch * self.batches
        else:
            return None
        epochs_left = self.epochs * (1.0 - self.share)
        batteries = self._batteries_left
        if batteries is None:
            return None
        return epochs_left * an_epoch + batteries

    @property
    def _batteries_left(self) -> float | None:
        """Seconds of the batteries that are left, the rest of a running one included; None while
        one runs of which nothing is known."""
        testing, tested = self.testing, self.fivecats[-1].epoch if self.fivecats else 0
        one: float | None = self.fivecat_seconds
        rest, begin = 0.0, max(self.epoch, tested + 1, 1)
        if testing is not None:
            one = self.fivecat_seconds or testing.seconds(self.time)
            rest, begin = 1.0 - testing.share, max(begin, testing.epoch + 1)
        every = int(self.settings.get("fivecat_every", 0) or 0)
        whole = sum(
            1
            for epoch in range(begin, self.epochs + 1)
            if epoch == self.epochs or (every and epoch % every == 0)
        )
        return None if one is None else (whole + rest) * one


@dataclass(frozen=True, slots=True)
class Task:
    """Work outside a run."""

    id: str
    title: str
    done: int = 0
    total: int = 0
    note: str = ""
    state: str = "running"
    """running | done | failed"""
    seconds: float = 0.0
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """What the workspace log tells."""

    tasks: tuple[Task, ...] = ()
    """Of the newest preparation, in the order in which they began."""
    queue_finished: bool = False
    """The queue ran empty, and nothing began since."""
    done: int = 0
    failed: int = 0
    """Jobs of the runner that saw it run empty the last time."""
    log: tuple[LogLine, ...] = ()
    records: int = 0


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job of the queue."""

    id: int
    model: str
    state: str
    """queued | running | paused | interrupted (by `stranding.py`) | done | failed | stopped |
    cancelled"""
    run: str = ""
    note: str = ""
    job: Job | None = None
    """What it asks for; None where only its state is known."""
    parent: str = ""
    """The run that it starts anew, or ""."""
    started: float | None = None
    finished: float | None = None


@dataclass(frozen=True, slots=True)
class RunnerView:
    """Who trains."""

    alive: bool = False
    here: bool = False
    """In this very process."""
    pid: int = 0
    host: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything that a screen may show, at one moment."""

    workspace: WorkspaceView = field(default_factory=WorkspaceView)
    run: RunView | None = None
    """The run that trains, or the newest."""
    finished: tuple[RunView, ...] = ()
    """Runs of the queue's jobs that have ended, without their curves."""
    jobs: tuple[JobRow, ...] = ()
    runner: RunnerView = RunnerView()
    alerts: tuple[Alert, ...] = ()
    """Open ones of all runs in the queue, the most urgent first."""
    watching: bool = False
    """Look only: no key changes anything."""
    pinned: bool = False
    """A person asked for this one run: what else happens is left out."""
    catching_up: bool = False
    """The logs have not yet been read to their end."""
    caught_up: frozenset[str] = frozenset()
    """Runs whose logs were read to their end once: what they tell from then on is news."""

    @property
    def all_alerts(self) -> tuple[Alert, ...]:
        """Acknowledged ones too, of all runs of the queue, the newest first."""
        runs: tuple[RunView, ...] = () if self.run is None else (self.run,)
        if not self.pinned:
            runs += self.finished
        found = [alert for run in runs for alert in run.alerts]
        return tuple(sorted(found, key=lambda alert: alert.time, reverse=True))
