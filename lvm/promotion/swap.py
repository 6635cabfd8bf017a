"""The steps of a change on disk, and back. Each may be done again: it looks first what is there.

At every moment the link leads to the old file or to the new one. A file that stood at the link is
kept by a second name for it (a hard link), so the link itself is replaced in one rename.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lvm.errors import DiskError, RunError
from lvm.files import disk_errors, sync_folder, write_json, write_whole
from lvm.promotion.change import Change
from lvm.promotion.links import (
    Standing,
    replace_link,
    sha256_of,
    standing,
    temporary_beside,
)
from lvm.promotion.places import Places
from lvm.promotion.planning import read_exactly

_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
"""What a file system says that knows no hard links (exFAT, some network shares)."""


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Every OSError as a DiskError that names the path."""
    try:
        with disk_errors(path):
            yield
    except OSError as error:
        raise DiskError(
            f"cannot be changed: {error.strerror or error}",
            where=str(path),
            fix="the folder must be there and writable by this user; nothing was lost",
        ) from error


def is_new(places: Places, change: Change) -> bool:
    there = standing(places.link)
    return there.kind == "link" and there.target == change.target


def keep_old(places: Places, change: Change) -> str:
    """Keep what stands at the link, and its metadata; returns words. Raises RunError when
    something else stands there by now, DiskError."""
    if not change.backup.file:
        return "nothing stood there" if change.before.kind == "nothing" else "nothing to keep"
    path = places.models / change.backup.file
    if is_new(places, change) and standing(path).kind != "nothing":
        return f"kept as {path.name}"  # done before an interruption
    _expect_old(places, change)
    with _in_words(path):
        if change.before.kind == "link":
            _keep_link(path, change)
        else:
            _keep_file(places.link, path, change)
        if change.metadata_before is not None:
            beside = places.models / change.backup.metadata
            _expect_free(beside, change.backup.metadata_gives_way, change.metadata_before)
            _write_exactly(beside, change.metadata_before)
    return f"kept as {path.name}"


def _keep_link(path: Path, change: Change) -> None:
    there = standing(path)
    if there == Standing("link", change.before.target):
        return
    if there.kind == "nothing":
        path.symlink_to(change.before.target)  # never replaces what comes there in between
        sync_folder(path.parent)
    elif there == Standing("link", change.backup.gives_way or ""):
        replace_link(path, change.before.target)
    else:
        raise _taken(path)


def _keep_file(link: Path, path: Path, change: Change) -> None:
    if standing(path).kind != "nothing":
        if path.is_symlink() or sha256_of(path) != change.before_sha256:
            raise _taken(path)
        return
    try:
        path.hardlink_to(link)
        sync_folder(path.parent)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        copy_whole(link, path)
        if sha256_of(path) != change.before_sha256:
            raise RunError(
                "the copy of the old file is not the same as the file",
                where=str(path),
                fix="the disk may be failing; the file in production was not touched",
            ) from error


def copy_whole(source: Path, path: Path) -> None:
    """Copy a file, whole or not at all."""
    with source.open("rb") as file:
        write_whole(path, lambda out: shutil.copyfileobj(file, out, 1 << 20))


def _expect_free(path: Path, gives_way: str | None, same: str) -> None:
    content = read_exactly(path) if standing(path).kind != "nothing" else None
    if content not in (None, gives_way, same):
        raise _taken(path)


def _taken(path: Path) -> RunError:
    return RunError(
        "something else stands where the old model was to be kept",
        where=str(path),
        fix="nothing was replaced; move it away, or promote again and another name is taken",
    )


def _expect_old(places: Places, change: Change) -> None:
    there = standing(places.link)
    if there != change.before:
        raise RunError(
            f"is {there.words}, and was {change.before.words} when this began",
            where=str(places.link),
            fix="somebody else changed it; nothing was touched",
        )


def put_link(places: Places, change: Change) -> str:
    """The new link, by one rename. Raises RunError when the file is no longer the one that was
    tested, or something else stands at the link by now."""
    found = sha256_of(places.models / change.target)
    if found != change.sha256:
        raise RunError(
            "is gone" if found is None else "is no longer the file that was tested",
            where=str(places.models / change.target),
            fix="a run that goes on replaces its files: promote again when it has ended",
        )
    if not is_new(places, change):
        _expect_old(places, change)
        with _in_words(places.link):
            replace_link(places.link, change.target)
    return f"{places.link.name} leads to {change.target}"


def write_metadata(places: Places, change: Change) -> str:
    with _in_words(places.metadata):
        write_json(places.metadata, change.metadata)
    return f"{places.metadata.name} written"


def put_back(places: Places, change: Change) -> str:
    """Everything as it stood before the change; what somebody else put there is left alone.

    Returns words. Raises DiskError; then nothing is lost and it may be tried again.
    """
    backup = places.models / change.backup.file if change.backup.file else None
    with _in_words(places.link):
        words = _link_back(places, change, backup)
        if change.metadata_before is not None:
            if read_exactly(places.metadata) != change.metadata_before:
                _write_exactly(places.metadata, change.metadata_before)
        elif change.change in (read_exactly(places.metadata) or ""):
            places.metadata.unlink()
        if backup is not None and standing(places.link) == change.before:
            _drop_backup(places, backup, change)
        sync_folder(places.models)
    return words


def _link_back(places: Places, change: Change, backup: Path | None) -> str:
    there, before = standing(places.link), change.before
    if there == before:
        return f"{places.link.name} is {before.words}, as before"
    if not (there.kind == "link" and there.target == change.target):
        return f"{places.link.name} is {there.words} by now: left alone"
    if before.kind == "nothing":
        places.link.unlink()
    elif before.kind == "link":
        replace_link(places.link, before.target)
    else:
        assert backup is not None
        _file_back(places.link, backup)
    return f"{places.link.name} is {before.words} again"


def _file_back(link: Path, backup: Path) -> None:
    temporary = temporary_beside(link)
    try:
        try:
            temporary.hardlink_to(backup)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            copy_whole(backup, temporary)
        temporary.replace(link)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(link.parent)


def _drop_backup(places: Places, backup: Path, change: Change) -> None:
    """Only what this change put there, and only where what it kept stands at the link again."""
    there = standing(backup)
    if change.before.kind == "link":
        if there == Standing("link", change.before.target):
            if change.backup.gives_way is None:
                backup.unlink()
            else:
                replace_link(backup, change.backup.gives_way)
    elif there.kind == "file" and _same_file(places.link, backup):
        backup.unlink()
    beside = places.models / change.backup.metadata
    if change.metadata_before is not None and read_exactly(beside) == change.metadata_before:
        if change.backup.metadata_gives_way is None:
            beside.unlink()
        else:
            _write_exactly(beside, change.backup.metadata_gives_way)


def _same_file(one: Path, other: Path) -> bool:
    return os.path.samestat(one.lstat(), other.lstat())


def _write_exactly(path: Path, content: str) -> None:
    write_whole(path, lambda file: file.write(content.encode("latin-1")))
