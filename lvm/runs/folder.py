"""Run folders: `artifacts/lvm/models/<model>_5cat_<YYYYmmdd_HHMMSS>/`, their files, their list."""

from __future__ import annotations

import difflib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from lvm.errors import DiskError, InputError, RunError
from lvm.files import sync_folder, write_json
from lvm.runs.tail import lines_backwards
from lvm.settings import Job

RUN_JSON, EVENTS, LOG = "run.json", "events.jsonl", "training.log"
HISTORY, LAST = "training_history.json", "last.pt"
BEST, BEST_5CAT = "best_model.pt", "best_5cat_model.pt"

_NAME = re.compile(r"(?P<model>.+)_5cat_(?P<started>\d{8}_\d{6})(_\d+)?")

Outcome = Literal["completed", "early_stopped", "stopped", "cancelled", "failed"]
RunState = Literal[Outcome, "running", "paused", "interrupted", "unknown"]
"""interrupted: neither ended nor alive. unknown: made by another tool, there is no event log."""

_ENDED: dict[str, RunState] = {outcome: outcome for outcome in get_args(Outcome)}


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run; its files may be missing."""

    path: Path

    @classmethod
    def create(cls, models: Path, model: str, now: float) -> RunFolder:
        """A new folder, named by model and local time; a taken name gets a suffix. Raises DiskError
        if it cannot be made."""
        stem = f"{model}_5cat_{time.strftime('%Y%m%d_%H%M%S', time.localtime(now))}"
        try:
            models.mkdir(parents=True, exist_ok=True)
            number = 1
            while True:
                path = models / (stem if number == 1 else f"{stem}_{number}")
                try:
                    path.mkdir()
                except FileExistsError:
                    number += 1
                else:
                    sync_folder(models)
                    return cls(path)
        except OSError as error:
            raise DiskError(
                f"cannot make a run folder: {error.strerror}",
                where=str(models),
                fix="the folder must be writable by this user, and the disk not full",
            ) from error

    @classmethod
    def find(cls, models: Path, word: str) -> RunFolder:
        """The run that is named by a word: its name, its path, or a beginning that only it has.

        Raises InputError that names the candidates.
        """
        names = [path.name for path in _folders(models)]
        wanted = Path(word).name
        fitting = [name for name in names if name.startswith(wanted)] if wanted else []
        if wanted in names or len(fitting) == 1:
            return cls(models / (wanted if wanted in names else fitting[0]))
        near = fitting or difflib.get_close_matches(wanted, names, n=3, cutoff=0.4)
        raise InputError(
            f"several runs begin with {word!r}" if fitting else f"there is no run {word!r}",
            where=str(models),
            fix=f"did you mean {', '.join(near)}?"
            if near
            else "lvm runs list shows those there are",
        )

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def events(self) -> Path:
        return self.path / EVENTS

    @property
    def log(self) -> Path:
        return self.path / LOG

    @property
    def can_resume(self) -> bool:
        return (self.path / LAST).exists()

    def record(self) -> dict[str, Any]:
        """`run.json`; {} if it is not there. Raises RunError if it cannot be read."""
        document = _read_json(self.path / RUN_JSON, {})
        if not isinstance(document, dict):
            raise RunError("not the record of a run", where=str(self.path / RUN_JSON))
        return document

    def write_record(self, document: dict[str, Any]) -> None:
        write_json(self.path / RUN_JSON, document)

    def job(self) -> Job:
        """What the run was asked to do. Raises InputError if its record does not say."""
        document = self.record().get("job")
        if document is None:
            raise InputError(
                "the run's settings are not known",
                where=str(self.path / RUN_JSON),
                fix="start a new run",
            )
        return Job.from_json(document)

    def history(self) -> list[dict[str, Any]]:
        """`training_history.json`, one entry an epoch; [] if it is not there."""
        document = _read_json(self.path / HISTORY, [])
        if not isinstance(document, list) or not all(isinstance(each, dict) for each in document):
            raise RunError("not a list of epochs", where=str(self.path / HISTORY))
        return document

    def last_outcome(self) -> dict[str, Any] | None:
        """The fields of the run_finished that ended it; None while it has not ended, or was taken
        up again. Reads only the end of the log."""
        try:
            with self.events.open("rb") as file:
                for _, line in lines_backwards(file):
                    document = _object(line)
                    kind = document.get("type", "alert_")
                    if not str(kind).startswith("alert_"):  # may follow the end
                        return document if kind == "run_finished" else None
        except FileNotFoundError:
            return None
        return None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in a list; numbers that there are not are None."""

    name: str
    model: str
    state: RunState
    started: float | None
    """Unix time."""
    epochs: int
    """Done."""
    epochs_asked: int | None
    best_epoch: int
    """Of the lowest validation loss; 0 if no epoch is done."""
    best_val_loss: float | None
    best_val_cosine: float | None
    best_5cat_epoch: int
    """Of the best 5CAT score; 0 if none ran."""
    val_margin: float | None
    """Of that epoch, as all below."""
    ood_margin: float | None
    score: float | None
    gates: int | None
    """How many of the five were passed."""
    ready: bool
    reason: str
    """Why it ended early, or what cannot be read of it."""
    path: Path


def list_runs(models: Path, active: Mapping[str, RunState] | None = None) -> list[RunSummary]:
    """All runs of a folder, the latest first; reads a few kilobytes of each.

    active: the runs that a live runner has in hand, and their state (project.py knows them).
    """
    found = [_summary(RunFolder(path), active or {}) for path in _folders(models)]
    return sorted(found, key=lambda run: (run.started or 0.0, run.name), reverse=True)


def best_entries(
    history: list[dict[str, Any]],
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The entries of the lowest validation loss and of the best 5CAT score; the first if several
    are equal."""
    lossy = [entry for entry in history if isinstance(entry.get("val_loss"), int | float)]
    tested = [entry for entry in history if isinstance(entry.get("cat_score"), int | float)]
    return (
        min(lossy, key=lambda entry: float(entry["val_loss"]), default=None),
        max(tested, key=lambda entry: float(entry["cat_score"]), default=None),
    )


def _folders(models: Path) -> list[Path]:
    """Links are left out: they name runs that are listed already."""
    try:
        return sorted(
            path
            for path in models.iterdir()
            if path.is_dir()
            and not path.is_symlink()
            and any((path / name).exists() for name in (RUN_JSON, EVENTS, HISTORY))
        )
    except FileNotFoundError:
        return []


def _summary(folder: RunFolder, active: Mapping[str, RunState]) -> RunSummary:
    trouble = ""
    record: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    try:
        record, history = folder.record(), folder.history()
    except RunError as error:
        trouble = f"{Path(error.where).name}: {error.what}"  # the folder is named beside it
    outcome = folder.last_outcome()
    best, best_5cat = best_entries(history)
    best, best_5cat = best or {}, best_5cat or {}
    named = _NAME.fullmatch(folder.name)
    return RunSummary(
        name=folder.name,
        model=record.get("model") or (named["model"] if named else ""),
        state=active.get(folder.name) or _state(folder, outcome),
        started=record.get("created") or (_time(named["started"]) if named else None),
        epochs=len(history),
        epochs_asked=_within(record, "job", "train", "epochs"),
        best_epoch=best.get("epoch", 0),
        best_val_loss=best.get("val_loss"),
        best_val_cosine=best.get("val_cosine"),
        best_5cat_epoch=best_5cat.get("epoch", 0),
        val_margin=best_5cat.get("val_margin"),
        ood_margin=best_5cat.get("ood_margin"),
        score=best_5cat.get("cat_score"),
        gates=_within(best_5cat, "5cat", "passed"),
        ready=bool(_within(best_5cat, "5cat", "ready")),
        reason=trouble or (outcome or {}).get("reason", ""),
        path=folder.path,
    )


def _within(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _state(folder: RunFolder, outcome: dict[str, Any] | None) -> RunState:
    if outcome is not None:
        return _ENDED.get(outcome.get("outcome", ""), "failed")
    return "interrupted" if folder.events.exists() else "unknown"


def _time(text: str) -> float | None:
    try:
        return datetime.strptime(text, "%Y%m%d_%H%M%S").timestamp()
    except ValueError:  # eight digits that are no date
        return None


def _read_json(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return default
    except (OSError, ValueError) as error:
        raise RunError(
            f"cannot be read: {error}", where=str(path), fix="the run can still be resumed"
        ) from error


def _object(line: bytes) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
