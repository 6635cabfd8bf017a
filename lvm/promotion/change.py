"""The journal: one change of what is in production, on disk before anything is touched.

It says what stood there and what shall stand there, so whoever finds it after a kill can do all
of the steps again or take all of them back; each step looks first whether it is done already.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from lvm.errors import RunError
from lvm.files import disk_errors, sync_folder, write_json
from lvm.promotion.links import Standing

Action = Literal["promote", "rollback"]
Step = Literal["backup", "link", "metadata", "service", "ledger"]
STEPS: tuple[Step, ...] = get_args(Step)

STEP_WORDS: dict[str, str] = {
    "backup": "keeping what stood there",
    "link": "putting the new link",
    "metadata": "writing the metadata",
    "service": "restarting the service and checking its answer",
    "ledger": "writing the ledger",
}


@dataclass(frozen=True, slots=True)
class Backup:
    """Where what stood there is kept, and what of an earlier change of ours gives way to it."""

    file: str
    """Name beside the link; "" = nothing has to be kept."""
    gives_way: str | None = None
    """What the previous backup of this chain, a link, says; None: nothing gives way."""
    metadata_gives_way: str | None = None
    """Content of the metadata kept beside that previous backup."""

    @property
    def metadata(self) -> str:
        return str(Path(self.file).with_suffix(".json"))


@dataclass(frozen=True, slots=True)
class Change:
    change: str
    action: Action
    name: str
    by: str
    started: float
    """Unix time."""
    target: str
    """What the new link says."""
    sha256: str
    dim: int
    prediction: list[float]
    """What the file predicted when it was tried, (dim,)."""
    before: Standing
    before_sha256: str | None
    """None: nothing stood there, or a link that led nowhere."""
    backup: Backup
    metadata: dict[str, Any]
    """The new `NAME_v0.json`."""
    metadata_before: str | None
    """Content of the old one, one character a byte; None if there was none."""
    restart: bool
    was_running: bool
    """Whether the service ran before."""
    facts: dict[str, Any] = field(default_factory=dict)
    """More for the ledger: override, what was missing, where a rollback leads."""
    step: Step = "backup"
    """In hand, or next."""
    service_touched: bool = False
    """Whether the service may have been restarted by this change."""
    undoing: str = ""
    """Why it is being taken back; "" while it is not."""
    steps: tuple[dict[str, Any], ...] = ()
    """Done: step, state, words, seconds."""

    def changed(self, **values: Any) -> Change:
        return dataclasses.replace(self, **values)

    @property
    def stood_same(self) -> bool:
        """Whether the link says already what it shall say: nothing of it changes."""
        return self.before.kind == "link" and self.before.target == self.target

    def write(self, path: Path) -> None:
        """Whole or not at all. Raises DiskError."""
        write_json(path, dataclasses.asdict(self))

    @classmethod
    def read(cls, path: Path) -> Change | None:
        """None if there is none. Raises RunError if it cannot be read."""
        try:
            document = json.loads(path.read_bytes())
            document["before"] = Standing.from_json(document["before"])
            document["backup"] = Backup(**document["backup"])
            document["steps"] = tuple(document["steps"])
            return cls(**document)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RunError(
                f"the journal of a promotion cannot be read: {error}",
                where=str(path),
                fix="look at the link and its backup yourself, then move this file away",
            ) from error


def remove_journal(path: Path) -> None:
    with disk_errors(path):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
