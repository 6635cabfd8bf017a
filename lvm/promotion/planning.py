"""Exactly what a change will do on disk and to which service, before anything is touched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lvm.errors import InputError
from lvm.promotion import ledger
from lvm.promotion.change import Backup
from lvm.promotion.links import Standing, relative_target, sha256_of, standing
from lvm.promotion.places import Places
from lvm.promotion.services import Services
from lvm.runs.commands import LedgerEntry


@dataclass(frozen=True, slots=True)
class Planned:
    """One path that will be another afterwards."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    file: str
    """What will be in production."""
    target: str
    """What the link will say."""
    before: Standing
    backup: Backup
    changes: tuple[Planned, ...]
    service: str
    """What happens to the service, one sentence."""
    restart: bool
    notes: tuple[str, ...]
    """What the user should know, one sentence each."""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "file": self.file,
            "changes": [asdict(each) for each in self.changes],
            "service": self.service,
            "restart": self.restart,
            "notes": list(self.notes),
        }


def plan(
    models: Path,
    name: str,
    file: Path,
    services: Services,
    found: Sequence[LedgerEntry] = (),
    *,
    restart: bool = True,
) -> Plan:
    """The plan of bringing `file` into production as `name`; nothing is touched.

    models: the folder of the run folders. found: the ledger. Raises InputError where it cannot be
    done: the file is missing, is the production file itself, or is in production already.
    """
    places = Places(models, name)
    if not file.is_file():
        raise InputError("there is no such checkpoint", where=str(file), fix="check the path")
    before = standing(places.link)
    if before.kind == "file" and file.resolve() == places.link.resolve():
        raise InputError(
            "this is the file in production itself, not a checkpoint of a run",
            where=str(file),
            fix="give another checkpoint, or copy this one elsewhere and give the copy",
        )
    if standing(places.metadata).kind == "link":
        raise InputError(
            "is a link", where=str(places.metadata), fix="move it away: the metadata is a file"
        )
    target = relative_target(file, models)
    backup = choose_backup(places, before, target, ledger.current(list(found), name))
    notes = []
    if before.kind == "link" and not places.link.exists():
        notes.append(f"{places.link.name} leads nowhere now: {before.target} is gone")
    if target.startswith(".."):
        notes.append("the checkpoint lies outside of the folder of runs: never move it")
    if before.kind == "link" and before.target == target:
        notes.append("the link says this already: only metadata and service follow")
    changes = _changes(places, before, backup, target)
    restart, service = _service(places, services, restart)
    return Plan(
        name=name,
        file=str(file.resolve()),
        target=target,
        before=before,
        backup=backup,
        changes=tuple(changes),
        service=service,
        restart=restart,
        notes=tuple(notes),
    )


def _service(places: Places, services: Services, restart: bool) -> tuple[bool, str]:
    """Whether it is restarted, and what happens to it in words."""
    name, address = places.name, services.address(places.name)
    if not restart:
        return False, "no service is restarted, as asked: it keeps the model that it has loaded"
    if not address:
        return False, f"no service {name} is configured: nothing is restarted or verified"
    loads = services.loads(name)
    if os.path.abspath(loads) != os.path.abspath(places.link):  # noqa: PTH100 - no link followed
        raise InputError(
            f"service {name} loads {loads}, not {places.link.name}",
            where=f"[services.{name}] in lvm.toml",
            fix="leave out its `model`, or change only the link by --no-restart",
        )
    verb = "is restarted" if services.running(name) else "does not run and is started"
    return True, f"service {name} ({address}) {verb}, and must answer with this file"


def _changes(places: Places, before: Standing, backup: Backup, target: str) -> list[Planned]:
    changes = []
    if backup.file:
        kept = "the file that stands there" if before.kind == "file" else before.words
        was = "nothing" if backup.gives_way is None else f"link to {backup.gives_way}"
        changes.append(Planned(backup.file, was, kept))
        if places.metadata.exists():
            was = "nothing" if backup.metadata_gives_way is None else "metadata of an older one"
            changes.append(Planned(backup.metadata, was, f"what {places.metadata.name} says now"))
    if not (before.kind == "link" and before.target == target):
        changes.append(Planned(places.link.name, before.words, f"link to {target}"))
    was = "metadata of the old file" if places.metadata.exists() else "nothing"
    changes.append(Planned(places.metadata.name, was, "metadata of the new file"))
    return changes


def choose_backup(
    places: Places, before: Standing, target: str, last: LedgerEntry | None
) -> Backup:
    """Where to keep what stands there. Never in place of a file, nor of a link of the user's.

    last: the change that stands; its backup may give way if it is still what that change wrote.
    """
    if before.kind == "nothing" or (before.kind == "link" and before.target == target):
        return Backup("")
    chain = (last.document.get("backup") or {}) if last else {}
    number = 0
    while True:
        number += 1
        path = places.backup(number)
        there, metadata = standing(path), path.with_suffix(".json")
        if there.kind == "nothing" and standing(metadata).kind == "nothing":
            return Backup(path.name)
        if (
            path.name == chain.get("file")
            and there.kind == "link"
            and there.target == chain.get("target")
            and standing(metadata).kind in ("nothing", "file")
            and sha256_of(metadata) == chain.get("metadata_sha256")
        ):
            return Backup(path.name, there.target, read_exactly(metadata))


def read_exactly(path: Path) -> str | None:
    """The content of a small file, one character a byte; None if there is none."""
    try:
        return path.read_bytes().decode("latin-1")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
