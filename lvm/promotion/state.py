"""What is in production, what could be, and what an interrupted change left. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvm.promotion.change import STEP_WORDS, Change
from lvm.promotion.links import standing
from lvm.promotion.lock import is_held
from lvm.promotion.places import LINK_SUFFIX, Places, journal_path, lock_path
from lvm.runs.folder import BEST, BEST_5CAT, RunSummary
from lvm.runs.project import Project
from lvm.settings import MODEL_TYPES


@dataclass(frozen=True, slots=True)
class Production:
    """What one link leads to."""

    name: str
    link: Path
    kind: str
    """nothing | link | file"""
    file: Path | None
    """What it leads to; None: nothing, or a link that leads nowhere."""
    run: str
    """The folder that the file lies in, "" if it lies in none of a run."""
    metadata: dict[str, Any]
    """`NAME_v0.json`; {} if there is none, or it belongs to another file."""
    trouble: str
    """What a person should know: leads nowhere, changed since it was promoted. "" = all well."""

    @property
    def sha256(self) -> str | None:
        """Of the file, as it was promoted; None if that is not known."""
        return None if self.trouble else self.metadata.get("sha256")

    @property
    def fivecat(self) -> dict[str, Any]:
        """The 5CAT document of the file; {} if it is not known."""
        return self.metadata.get("5cat") or {}


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that was interrupted."""

    change: Change
    now: str
    """What the link leads to at this moment: "old" | "new" | "other"."""

    @property
    def words(self) -> str:
        it = self.change
        what = "promotion" if it.action == "promote" else "rollback"
        at = f"while {STEP_WORDS[it.step]}"
        if it.undoing:
            at = "while it was being taken back"
        leads = {"old": "still to the old file", "new": "to the new file already"}
        return (
            f"a {what} of {it.name} to {it.target} was interrupted {at}; "
            f"{it.name}{LINK_SUFFIX} leads {leads.get(self.now, 'somewhere else by now')}"
        )

    @property
    def advice(self) -> str:
        return "lvm promote --recover finish, or lvm promote --recover undo"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A checkpoint of a run that could be promoted."""

    path: Path
    run: RunSummary
    epoch: int
    """0: not known."""
    bytes: int
    modified: float
    in_production_as: tuple[str, ...]


def names(project: Project, configured: Iterable[str] = ()) -> tuple[str, ...]:
    """The four models, the services that are configured, and every `NAME_v0.pt` that is there."""
    found = sorted(path.name.removesuffix(LINK_SUFFIX) for path in _links(project.models))
    return tuple(dict.fromkeys([*MODEL_TYPES, *configured, *found]))


def _links(models: Path) -> list[Path]:
    try:
        return [p for p in models.iterdir() if p.name.endswith(LINK_SUFFIX) and p.name[0] != "."]
    except FileNotFoundError:
        return []


def production(project: Project, name: str) -> Production:
    """What the link of `name` leads to; looks at sizes and times, reads no checkpoint."""
    places = Places(project.models, name)
    there = standing(places.link)
    metadata = _metadata(places.metadata)
    file: Path | None = places.link.resolve()
    trouble = ""
    if there.kind == "nothing" or not places.link.is_file():
        file = None
        trouble = "leads nowhere: what it names is gone" if there.kind == "link" else ""
    elif metadata and metadata.get("target") != (there.target if there.kind == "link" else ""):
        metadata = {}
        trouble = "was not put there by a promotion: its metadata is of another file"
    elif metadata and file is not None:
        found = file.stat()
        if [found.st_size, found.st_mtime_ns] != [metadata.get("bytes"), metadata.get("mtime_ns")]:
            trouble = "the file was changed since it was promoted: its numbers are of the old one"
    run = file.parent.name if file and file.parent.parent == project.models.resolve() else ""
    return Production(name, places.link, there.kind, file, run, metadata, trouble)


def _metadata(path: Path) -> dict[str, Any]:
    """{} if there is none of ours."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) and "change" in document else {}


def pending(project: Project) -> Pending | None:
    """What an interrupted change left; None if nothing, or while a living process is at it.

    Raises RunError if the journal cannot be read.
    """
    lock = lock_path(project)
    if is_held(lock):
        return None
    change = Change.read(journal_path(project))
    if change is None or is_held(lock):  # one may have begun in between
        return None
    return left_by(project, change)


def left_by(project: Project, change: Change) -> Pending:
    there = standing(Places(project.models, change.name).link)
    if there.kind == "link" and there.target == change.target:
        return Pending(change, "new")
    return Pending(change, "old" if there == change.before else "other")


def candidates(project: Project) -> list[Candidate]:
    """The checkpoints of all runs, the latest run first, its best 5CAT first."""
    in_production: dict[Path, list[str]] = {}
    for name in names(project):
        file = production(project, name).file
        if file is not None:
            in_production.setdefault(file, []).append(name)
    found = []
    for run in project.runs():
        epochs = {BEST_5CAT: run.best_5cat_epoch, BEST: run.best_epoch}
        numbered = sorted(
            run.path.glob("checkpoint_epoch*.pt"), key=lambda path: -_epoch(path.stem)
        )
        for path in (run.path / BEST_5CAT, run.path / BEST, *numbered):
            try:
                stat = path.stat()
            except OSError:  # not written, or just replaced
                continue
            epoch = epochs.get(path.name, _epoch(path.stem))
            used = tuple(in_production.get(path.resolve(), ()))
            found.append(Candidate(path, run, epoch, stat.st_size, stat.st_mtime, used))
    return found


def _epoch(stem: str) -> int:
    digits = stem.removeprefix("checkpoint_epoch")
    return int(digits) if digits.isdigit() else 0
