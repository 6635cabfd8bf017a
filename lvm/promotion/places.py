"""Where the files of a promotion lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lvm.errors import InputError
from lvm.runs.project import Project

LINK_SUFFIX = "_v0.pt"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one name; all lie in the folder of the run folders."""

    models: Path
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                f"{self.name!r} is no name of a service",
                fix="letters, digits, - and _ only, as in [services.NAME] of lvm.toml",
            )

    @property
    def link(self) -> Path:
        """What the service loads."""
        return self.models / f"{self.name}{LINK_SUFFIX}"

    @property
    def metadata(self) -> Path:
        return self.models / f"{self.name}_v0.json"

    def backup(self, number: int = 1) -> Path:
        """`NAME_v0_OLD.pt`, and `NAME_v0_OLD_2.pt` … where that is taken."""
        return self.models / f"{self.name}_v0_OLD{'' if number == 1 else f'_{number}'}.pt"


def journal_path(project: Project) -> Path:
    """What the change in hand is doing; there only while one is in hand, or was interrupted."""
    return project.folder / "promotion.json"


def log_path(project: Project) -> Path:
    """The event log of all promotions."""
    return project.folder / "promotion.jsonl"


def lock_path(project: Project) -> Path:
    return project.folder / "promotion.lock"
