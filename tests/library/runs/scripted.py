"""A trainer, a corpus and a check that follow a script, so that the runner needs no torch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lvm.clock import Clock
from lvm.control import Action, Control
from lvm.events import (
    AlertRaised,
    Batch,
    CheckpointSaved,
    EpochFinished,
    Event,
    Paused,
    Resumed,
    RunFinished,
    RunStarted,
)
from lvm.settings import Thresholds, TrainSettings

BATCHES = 5
"""Batches of an epoch; each takes a second."""


@dataclass(frozen=True)
class ScriptedCorpus:
    train: str = "the training split"
    source: str = "bank docs.npz"
    samples: dict[str, int] = field(default_factory=lambda: {"train": 80, "val": 10, "ood": 10})
    dim: int = 16
    articles: int = 12
    alignment: dict[str, Any] = field(default_factory=lambda: {"val": {"shift": 0}})
    fingerprint: str = "f00d"
    fingerprints: dict[str, str] = field(default_factory=lambda: {"train": "beef"})
    notes: tuple[str, ...] = ("two articles are short",)


@dataclass(frozen=True)
class ScriptedReport:
    """What check_direction returns, as far as a runner looks at it."""

    passed: bool = True
    kind: str = "forward"
    words: str = "the nearer a context is, the nearer it is to the target"
    fix: str = ""

    def to_json(self) -> dict[str, Any]:
        checks = [{"name": "signal", "value": 0.1, "need": 0.08, "passed": self.passed}]
        return {"kind": self.kind, "words": self.words, "checks": checks}


REVERSED = ScriptedReport(False, "reversed", "the windows run backwards", "make them again")


@dataclass
class Call:
    """One time that the trainer was started."""

    settings: TrainSettings
    folder: Path
    resume: bool
    thresholds: Thresholds
    corpus: Any


@dataclass
class ScriptedTrainer:
    """Trains `settings.epochs` epochs, obeys, and leaves last.pt and a history.

    at: called before each batch with (run's call, step); may send commands or raise.
    """

    at: Callable[[Call, int], None] = lambda call, step: None
    calls: list[Call] = field(default_factory=list)
    summary: Callable[[Call], dict[str, Any]] = lambda call: {}
    """The best 5CAT of a run that comes to its end."""
    before_end: Callable[[Call], list[Event]] = lambda call: []
    """Events that come just before the last one."""
    severe: str = ""
    """Why it stops itself after its last epoch."""

    @property
    def models(self) -> list[str]:
        return [call.settings.model for call in self.calls]

    def __call__(
        self,
        settings: TrainSettings,
        corpus: Any,
        folder: Path,
        *,
        thresholds: Thresholds,
        control: Control,
        clock: Clock,
        resume: bool,
    ) -> Iterator[Event]:
        call = Call(settings, folder, resume, thresholds, corpus)
        self.calls.append(call)
        done = int((folder / "last.pt").read_text()) if resume else 0
        yield RunStarted(
            run=folder.name,
            model=settings.model,
            settings=settings.to_json(),
            parameters=1000,
            epochs=settings.epochs,
            batches_per_epoch=BATCHES,
            samples=corpus.samples,
            dim=corpus.dim,
            device="cpu",
            resumed=resume,
            step=done,
        )
        begun = clock.monotonic()
        history = [entry(epoch) for epoch in range(1, done // BATCHES + 1)]
        action: Action | None = None
        for step in range(done + 1, settings.epochs * BATCHES + 1):
            self.at(call, step)
            clock.sleep(1.0)
            action = yield from obey(control, clock, step)
            if action:
                (folder / "last.pt").write_text(str(step - 1))
                yield CheckpointSaved(len(history), step - 1, "last.pt", 1)
                break
            epoch = (step - 1) // BATCHES + 1
            yield Batch(epoch, step, step % BATCHES, BATCHES, 0.5, 0.5, 5e-4, 16.0)
            if step % BATCHES == 0:
                history.append(entry(epoch))
                (folder / "training_history.json").write_text(json.dumps(history))
                (folder / "last.pt").write_text(str(step))
                yield finished_epoch(epoch, settings.epochs, step)
        yield from self.before_end(call)
        outcomes = {"stop": "stopped", "cancel": "cancelled", None: "completed"}
        yield RunFinished(
            outcome="stopped" if self.severe and not action else outcomes[action],
            epochs=len(history),
            seconds=clock.monotonic() - begun,
            reason=f"{outcomes[action]} by the user" if action else self.severe,
            best_epoch=len(history),
            summary=self.summary(call),
        )


FORECAST = {
    "baselines": {
        "ridge": {
            "VAL": {"cos": 0.605, "margin": -0.19},
            "OOD": {"cos": 0.601, "margin": None},
        }
    },
    "frontier": [{"cos": 0.6, "margin": -0.19}],
    "gates": {"offset": {"verdict": "out of reach", "words": "short by 0.14"}},
    "arrow": {"words": "a weak arrow of time"},
}


@dataclass
class ScriptedForecast:
    """Makes FORECAST in three steps; `at` is called before each."""

    at: Callable[[int], None] = lambda step: None
    made: list[Any] = field(default_factory=list)
    """The corpora that it was asked for."""

    def __call__(
        self, corpus: Any, thresholds: Thresholds, *, progress: Callable[[str, int, int], None]
    ) -> dict[str, Any]:
        self.made.append(corpus)
        for step in range(3):
            self.at(step)
            progress("normal equations", step, 3)
        return FORECAST


def obey(control: Control, clock: Clock, step: int) -> Iterator[Event]:
    action = control()
    if action != "pause":
        return action if action in ("stop", "cancel") else None
    begun = clock.monotonic()
    yield Paused(step)
    while action not in ("resume", "stop", "cancel"):
        clock.sleep(0.1)
        action = control()
    yield Resumed(step, seconds=clock.monotonic() - begun)
    return None if action == "resume" else action


def entry(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "val_loss": 1.0 / epoch, "val_cosine": 0.5}


def finished_epoch(epoch: int, epochs: int, step: int) -> EpochFinished:
    return EpochFinished(epoch, epochs, step, 0.5, 0.5, 0.5, 0.5, 5e-4, 5.0, 16.0)


def alert(name: str, level: str = "alarm") -> AlertRaised:
    return AlertRaised(name, "backward_bias", level, f"BACKWARD BIAS  {name}")


def kinds(events: list[Event]) -> list[str]:
    return [event.kind() for event in events]


def without(event: Event, *names: str) -> dict[str, Any]:
    return {
        item.name: getattr(event, item.name)
        for item in dataclasses.fields(event)
        if item.name not in names
    }


def raising(error: BaseException) -> Any:
    def act() -> None:
        raise error

    return act
