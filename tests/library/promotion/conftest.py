"""A project with two checkpoints that are only bytes, and services by script: no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lvm.clock import SystemClock
from lvm.errors import ServiceError
from lvm.events import Event
from lvm.promotion import ledger
from lvm.promotion.applying import Applier
from lvm.promotion.change import Change
from lvm.promotion.planning import plan
from lvm.promotion.preparing import prepare
from lvm.promotion.trial import Trial
from lvm.runs.commands import LedgerEntry
from lvm.runs.project import Project

OLD, NEW, NEWER = b"the old model", b"the new model", b"a newer model"
VECTOR = [0.6, 0.8]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class ScriptedServices:
    """Services that load what the link leads to when they are restarted."""

    models: Path
    configured: tuple[str, ...] = ("gru",)
    up: set[str] = field(default_factory=lambda: {"gru"})
    loaded: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Hashes of files that make a service crash."""
    vector: list[float] = field(default_factory=lambda: list(VECTOR))
    calls: list[str] = field(default_factory=list)

    def address(self, name: str) -> str:
        return f"http://{name}" if name in self.configured else ""

    def loads(self, name: str) -> Path:
        return self.models / f"{name}_v0.pt"

    def running(self, name: str) -> bool:
        return name in self.up

    def restart(self, name: str) -> None:
        self.calls.append(f"restart {name}")
        self.loaded[name] = sha(self.loads(name).read_bytes())
        self.up.add(name)

    def stop(self, name: str) -> None:
        self.calls.append(f"stop {name}")
        self.up.discard(name)

    def health(self, name: str) -> dict[str, Any]:
        if self.loaded.get(name) in self.broken or name not in self.up:
            raise ServiceError("no answer: connection refused")
        return {"status": "ok", "sha256": self.loaded.get(name)}

    def predict(self, name: str, contexts: Sequence[Sequence[float]]) -> list[float]:
        return self.vector


@dataclass
class Bench:
    project: Project
    services: ScriptedServices
    told: list[Event] = field(default_factory=list)
    number: int = 0

    @property
    def models(self) -> Path:
        return self.project.models

    @property
    def link(self) -> Path:
        return self.models / "gru_v0.pt"

    def checkpoint(self, content: bytes, run: str = "gru_5cat_20260101_000000") -> Path:
        path = self.models / run / "best_5cat_model.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def prepared(self, file: Path, action: Any = "promote", restart: bool = True) -> Change:
        self.number += 1
        trial = Trial(sha(file.read_bytes()), "gru", 2, VECTOR, "cpu")
        made = plan(self.models, "gru", file, self.services, self.entries(), restart=restart)
        return prepare(
            self.project,
            action,
            f"change-{self.number}",
            "ann@mac",
            made,
            trial,
            {"run": file.parent.name, "5cat": {"passed": 5}},
            was_running=self.services.running("gru"),
        )

    def applier(self, seconds: float = 0.0) -> Applier:
        return Applier(
            self.project,
            self.services,
            self.told.append,
            lambda dim: [[1.0, 0.0]] * 5,
            self.project.clock,
            seconds,
        )

    def promote(self, file: Path, **how: Any) -> Any:
        return self.applier().begin(self.prepared(file, **how))

    def entries(self) -> list[LedgerEntry]:
        return ledger.entries(self.project)

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.entries()]

    def tree(self) -> dict[str, str]:
        """Every path of the models folder with its content: what a link says, a file's bytes."""
        return {
            str(path.relative_to(self.models)): f"-> {path.readlink()}"
            if path.is_symlink()
            else path.read_text()
            for path in sorted(self.models.rglob("*"))
            if path.is_symlink() or path.is_file()
        }

    def close(self) -> None:
        """Also so that no child inherits an open database."""
        if self.project.database.exists():
            self.project.store().close()
        self.project = Project(self.project.root, self.project.clock)


def make_bench(root: Path) -> Bench:
    project = Project(root, SystemClock())
    project.models.mkdir(parents=True)
    return Bench(project, ScriptedServices(project.models))


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = make_bench(tmp_path)
    yield made
    made.close()
