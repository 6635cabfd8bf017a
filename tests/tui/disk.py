"""A project on disk: the real workspace and store, logs of the real writer, without an engine."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from lvm.config import CONFIG_NAME
from lvm.data.reference import write_reference
from lvm.events import EpochFinished, FivecatFinished, RunStarted
from lvm.files import write_json
from lvm.runs.eventlog import EventWriter
from lvm.settings import Job
from lvm_tui.workspace import Workspace

from .scripted import START, Script

CONFIG = """\
[data]
bank = "python_docs.npz"
"""


class SetClock:
    """Time stands still until it is set."""

    def __init__(self, now: float = START) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Disk:
    """`desk` is what the app is given; the rest makes what it finds there."""

    def __init__(self, root: Path, *, trains: bool = False) -> None:
        """trains: a live runner holds the lease (this process stands in for it)."""
        self.clock = SetClock()
        (root / CONFIG_NAME).write_text(CONFIG, "utf-8")
        self.desk = Workspace(root, clock=self.clock)
        self.store = self.desk.store
        self._lease = self.store.take_lease("ada@host:tty1", instead_of=None) if trains else None

    def write_bank(self, name: str = "python_docs.npz") -> None:
        """A small bank that can be trained on."""
        (self.desk.project.root / name).write_bytes(_bank())

    def job(self, **changes: object) -> Job:
        job = self.desk.new_job()
        return Job(train=job.train.changed(**changes), data=job.data)

    def write_run(self, run: str, script: Script, job: Job | None = None) -> Path:
        """A run folder as the engine leaves it: log, run.json, training_history.json."""
        folder = self.desk.models / run
        folder.mkdir(parents=True, exist_ok=True)
        self._write(folder / "events.jsonl", script)
        asked = job or self.job(model=_model(script))
        created = script.records[0].time
        document = {"run": run, "model": asked.train.model, "created": created}
        write_json(folder / "run.json", {**document, "job": asked.to_json()})
        write_json(folder / "training_history.json", _history(script))
        return folder

    def write_workspace(self, script: Script) -> None:
        self._write(self.desk.log_path, script)

    def ran(self, run: str, state: str, seconds: float, note: str = "") -> None:
        """The first waiting job took so long and came to this."""
        row = self.store.take_next()
        assert row is not None
        self.store.assign_run(row.id, run)
        self.clock.time += seconds
        if self._lease is not None:
            self.store.renew_lease(self._lease.token)
        if state != "running":
            self.store.set_state(row.id, state, note)  # type: ignore[arg-type]

    def _write(self, path: Path, script: Script) -> None:
        clock = SetClock()
        with EventWriter(path, clock) as writer:
            for record in script.records:
                clock.time = record.time
                writer.append(record.event)


@cache
def _bank() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bank.npz"
        write_reference("forward", path, dim=32, articles=20)
        return path.read_bytes()


def _model(script: Script) -> str:
    events = (record.event for record in script.records)
    return next(event.model for event in events if isinstance(event, RunStarted))


def _history(script: Script) -> list[dict[str, object]]:
    rows: dict[int, dict[str, object]] = {}
    for record in script.records:
        event = record.event
        if isinstance(event, EpochFinished):
            names = ("epoch", "train_loss", "train_cosine", "val_loss", "val_cosine")
            rows[event.epoch] = {name: getattr(event, name) for name in names}
        elif isinstance(event, FivecatFinished):
            result = event.result
            rows[event.epoch] |= {
                "val_margin": result["VAL"]["margin"],
                "ood_margin": result["OOD"]["margin"],
                "val_rollout": result["VAL"]["rollout"],
                "ood_rollout": result["OOD"]["rollout"],
                "cat_score": event.score,
                "5cat": result,
            }
    return list(rows.values())
