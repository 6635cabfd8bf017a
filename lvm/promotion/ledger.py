"""What was tested, refused, promoted and taken back: the lasting record, in `lvm.db`.

tested       a full 5CAT of a file: sha256, data, settings, result
refused      what was missing, or why the file cannot be used
promoted · rolled_back   a change that stands; its link leads to `file`
failed       a change that did not verify; what stood before was put back
undone       an interrupted change that was taken back

The documents of the last four have `change`, `sha256`, `file`, `before`, `backup`, `steps`, …
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lvm.errors import InputError
from lvm.runs.commands import LedgerEntry
from lvm.runs.project import Project

STANDING_KINDS = ("promoted", "rolled_back")
"""Kinds of entries after which the link leads to their file."""


def entries(project: Project, name: str = "") -> list[LedgerEntry]:
    """Oldest first; of one name, or of all. A project that was never used stays untouched."""
    return project.store().ledger(name) if project.database.exists() else []


def standing_changes(found: list[LedgerEntry], name: str) -> list[LedgerEntry]:
    """Promotions and rollbacks of a name that were not undone, oldest first."""
    undone = {e.document.get("change"): e.id for e in found if e.kind == "undone"}
    return [
        e
        for e in found
        if e.kind in STANDING_KINDS
        and e.model == name
        and undone.get(e.document["change"], 0) < e.id
    ]


def current(found: list[LedgerEntry], name: str) -> LedgerEntry | None:
    """The change that stands."""
    standing = standing_changes(found, name)
    return standing[-1] if standing else None


def of_change(found: list[LedgerEntry], change: str) -> LedgerEntry | None:
    return next((e for e in reversed(found) if e.document.get("change") == change), None)


def to_roll_back_to(found: list[LedgerEntry], name: str, number: int) -> LedgerEntry:
    """Raises InputError that names the entries that can be gone back to."""
    able = standing_changes(found, name)
    for entry in able:
        if entry.id == number:
            return entry
    raise InputError(
        f"entry {number} of the ledger is no promotion or rollback of {name}",
        fix="there are "
        + (", ".join(f"{e.id} ({e.document['file']})" for e in able) if able else "none yet"),
    )


def find_test(
    found: list[LedgerEntry], sha256: str, data: str, settings: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The latest full 5CAT of exactly these bytes on exactly this data with these settings."""
    key = {"sha256": sha256, "data": data, "settings": dict(settings)}
    for entry in reversed(found):
        if entry.kind == "tested" and all(entry.document.get(k) == v for k, v in key.items()):
            result: dict[str, Any] = entry.document["result"]
            return result | {"entry": entry.id}
    return None
