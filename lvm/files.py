"""Files that are whole or absent: temporary file, fsync, rename, fsync of the folder."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from lvm.errors import DiskError, InputError

TEMPORARY_SUFFIX = ".part"
"""What a half-written file is called; no reader ever looks at one."""

_DISK_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn "no space left", quota and read-only errors into a DiskError that names `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_ERRNOS:
            raise DiskError(
                f"cannot write: {error.strerror}",
                where=str(path),
                fix="free some space, then resume; the last complete files are untouched",
            ) from error
        raise


def make_place_for(path: Path) -> None:
    """Make the folder of a file that is to be written, and find out that one can be written there,
    before hours are spent on it. Raises InputError, DiskError."""
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                pass
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}",
            where=str(path),
            fix="give a file in a folder that you may write to",
        ) from error


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call `write(file)` on a temporary file beside `path`, then move it there in one step.

    After a crash at any moment `path` holds the old content or the new, never a part.
    Raises DiskError when the disk is full; the old content stays.
    """
    with disk_errors(path):
        descriptor, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX, dir=path.parent
        )
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    write_whole(path, lambda file: file.write(text.encode()))


def write_json(path: Path, document: Any) -> None:
    """Write `document` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def remove_leftovers(folder: Path) -> list[Path]:
    """Delete what a killed writer left half-written in `folder`; returns what it deleted."""
    leftovers = sorted(folder.glob(f".*{TEMPORARY_SUFFIX}"))
    for path in leftovers:
        path.unlink(missing_ok=True)
    return leftovers
