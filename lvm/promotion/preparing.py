"""The journal of a change, of its plan and what is known of the file. Nothing is written."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from lvm.errors import InputError
from lvm.promotion import ledger
from lvm.promotion.change import Action, Change
from lvm.promotion.links import sha256_of
from lvm.promotion.places import Places
from lvm.promotion.planning import Plan, read_exactly
from lvm.promotion.trial import Trial
from lvm.runs.project import Project

_KNOWN = ("model_type", "dim", "run", "epoch", "test", "ready", "missing", "override")


def prepare(
    project: Project,
    action: Action,
    change: str,
    by: str,
    made: Plan,
    trial: Trial,
    facts: dict[str, Any],
    *,
    was_running: bool,
) -> Change:
    """facts: what the ledger keeps of the file, "5cat" among it for the metadata."""
    places = Places(project.models, made.name)
    now = project.clock.now()
    found = Path(made.file).stat()
    metadata = {
        "name": made.name,
        "target": made.target,
        "sha256": trial.sha256,
        "bytes": found.st_size,
        "mtime_ns": found.st_mtime_ns,
        "change": change,
        "action": action,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(now)),
        "by": by,
        **facts,
    }
    return Change(
        change=change,
        action=action,
        name=made.name,
        by=by,
        started=now,
        target=made.target,
        sha256=trial.sha256,
        dim=trial.dim,
        prediction=trial.prediction,
        before=made.before,
        before_sha256=sha256_of(places.link),
        backup=made.backup,
        metadata=metadata,
        metadata_before=read_exactly(places.metadata),
        restart=made.restart,
        was_running=was_running,
        facts={key: value for key, value in facts.items() if key != "5cat"},
    )


def earlier(project: Project, name: str, to: int | None) -> tuple[Path, str, dict[str, Any]]:
    """Where a rollback leads: the file, its hash, and what the ledger knows of it.

    to: an entry of the ledger; None = what stood before the change that stands. Raises InputError.
    """
    found, models = ledger.entries(project, name), project.models
    if to is not None:
        entry = ledger.to_roll_back_to(found, name, to)
        facts = _facts_of(entry.document) | {"to": to}
        return models / entry.document["file"], entry.document["sha256"], facts
    last = ledger.current(found, name)
    if last is None or last.document["before"]["sha256"] is None:
        raise InputError(
            f"there is nothing to roll {name} back to",
            fix="the ledger knows of no model that stood before the one in production",
        )
    before = last.document["before"]
    kept = before["target"] if before["kind"] == "link" else last.document["backup"]["file"]
    of_it = [e for e in ledger.standing_changes(found, name) if _same(e.document, before)]
    return models / kept, before["sha256"], _facts_of(of_it[-1].document) if of_it else {}


def _same(document: dict[str, Any], before: dict[str, Any]) -> bool:
    return bool(document["sha256"] == before["sha256"])


def _facts_of(document: dict[str, Any]) -> dict[str, Any]:
    facts = {key: document[key] for key in _KNOWN if key in document}
    tested = document.get("metadata", {}).get("5cat")
    return facts | ({"5cat": tested} if tested else {})
