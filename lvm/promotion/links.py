"""What stands at a path, and putting a link there in one step."""

from __future__ import annotations

import hashlib
import os
import stat
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lvm.errors import DiskError, InputError
from lvm.files import TEMPORARY_SUFFIX, sync_folder

Kind = Literal["nothing", "link", "file"]

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at a path, as far as it takes to know it again."""

    kind: Kind
    target: str = ""
    """link: what it says, relative or not."""
    identity: tuple[int, int, int] = (0, 0, 0)
    """file: inode, size, time of its last change in nanoseconds."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Standing:
        inode, size, changed = document["identity"]
        return cls(document["kind"], document["target"], (inode, size, changed))

    @property
    def words(self) -> str:
        return {"nothing": "nothing", "file": "a file", "link": f"link to {self.target}"}[self.kind]


def standing(path: Path) -> Standing:
    """Raises InputError for what is neither link nor file, DiskError if it cannot be looked at."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return Standing("link", os.readlink(path))  # noqa: PTH115 - Path would normalise it
    except FileNotFoundError:
        return Standing("nothing")
    except OSError as error:
        raise DiskError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not stat.S_ISREG(found.st_mode):
        raise InputError(
            "neither a link nor a file",
            where=str(path),
            fix="move it away: this is where the model in production stands",
        )
    return Standing("file", identity=(found.st_ino, found.st_size, found.st_mtime_ns))


def sha256_of(path: Path) -> str | None:
    """Of the bytes that a path leads to; None if it leads nowhere."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except FileNotFoundError:
        return None
    except OSError as error:  # a loop of links, a folder, no right to read
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return digest.hexdigest()


def temporary_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}{TEMPORARY_SUFFIX}")


def replace_link(path: Path, target: str) -> None:
    """A link to `target` at `path`, in one step, whatever stood there."""
    temporary = temporary_beside(path)
    try:
        temporary.symlink_to(target)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def relative_target(file: Path, models: Path) -> str:
    """What a link in `models` says to lead to `file`."""
    return os.path.relpath(file.resolve(), models.resolve())
