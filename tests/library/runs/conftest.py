"""A clock that moves only when somebody sleeps, a store, and a project with a scripted engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lvm.events import Event
from lvm.runs.eventlog import EventWriter, read_events
from lvm.runs.jobs import JobRow
from lvm.runs.project import Project
from lvm.runs.runner import Runner
from lvm.runs.store import Store
from lvm.runs.work import QueueEnd
from lvm.settings import DataSettings, Job, TrainSettings

from .event_logs import Write
from .scripted import Call, ScriptedCorpus, ScriptedForecast, ScriptedReport, ScriptedTrainer


class FakeClock:
    """Starts at 1,000 s; `sleep` returns at once and moves it on."""

    def __init__(self, start: float = 1000.0) -> None:
        self.time = start

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    opened = Store(tmp_path / "lvm.db", clock)
    yield opened
    opened.close()


class Bench:
    """A project whose runner trains by script; `run()` is `Runner.run()`."""

    def __init__(self, root: Path, clock: FakeClock) -> None:
        self.clock = clock
        self.project = Project(root, clock)
        self.trainer = ScriptedTrainer()
        self.report = ScriptedReport()
        self.forecast = ScriptedForecast()
        self.open_corpus: Callable[..., Any] = lambda data, **others: ScriptedCorpus()

    @property
    def store(self) -> Store:
        return self.project.store()

    def add(self, model: Any = "transformer", epochs: int = 2, **train: Any) -> int:
        settings = TrainSettings(model=model, epochs=epochs, **train)
        return self.store.add_job(Job(train=settings, data=DataSettings(bank="docs.npz")))

    def at(self, step: int, act: Callable[[], object], model: str = "transformer") -> None:
        """Do something just before a batch, the first time that it comes."""
        done: list[object] = []

        def hook(call: Call, now: int) -> None:
            if now == step and call.settings.model == model and not done:
                done.append(True)
                act()

        before = self.trainer.at
        self.trainer.at = lambda call, now: (before(call, now), hook(call, now))[0]

    def runner(self) -> Runner:
        return Runner(
            self.project,
            clock=self.clock,
            train=self.trainer,
            open_corpus=self.open_corpus,
            check=lambda sequences, thresholds: self.report,  # type: ignore[arg-type,return-value]
            forecast=self.forecast,
            by="ann@mac:ttys001",
            heartbeat=3600.0,
        )

    def run(self, **arguments: Any) -> QueueEnd:
        return self.runner().run(**arguments)

    def job(self, number: int) -> JobRow:
        return self.store.job(number)

    def folder(self, number: int = 1) -> Path:
        return self.project.models / self.job(number).run

    def events(self, number: int = 1) -> list[Event]:
        """Of a job's run; batches, epochs and the forecast left out."""
        left_out = ("batch", "epoch_finished", "forecast_made")
        return [event for event in self.all_events(number) if event.kind() not in left_out]

    def all_events(self, number: int = 1) -> list[Event]:
        return _events(self.folder(number) / "events.jsonl")

    def told(self) -> list[Event]:
        """The workspace log, the making of forecasts left out."""
        return [
            event
            for event in self.all_told()
            if not str(getattr(event, "task", "")).startswith("forecast-")
        ]

    def all_told(self) -> list[Event]:
        return _events(self.project.events)


def _events(log: Path) -> list[Event]:
    records = read_events(log)
    assert [record.seq for record in records] == list(range(len(records)))
    return [record.event for record in records]


@pytest.fixture
def bench(tmp_path: Path, clock: FakeClock) -> Iterator[Bench]:
    made = Bench(tmp_path, clock)
    yield made
    made.store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def write(path: Path) -> Write:
    def append(*events: Event) -> None:
        with EventWriter(path, FakeClock()) as writer:
            for event in events:
                writer.append(event)

    return append
