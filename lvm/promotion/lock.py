"""One promotion at a time: a lock that the kernel lets go of when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from lvm.clock import Clock
from lvm.errors import DiskError, LeaseError

GLANCE_SECONDS = 1.0
"""How long the lock is asked for: who only looks whether it is held has it for an instant."""


@contextmanager
def promotion_lock(path: Path, by: str, clock: Clock) -> Iterator[None]:
    """Held within. Raises LeaseError that names the holder, DiskError if it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DiskError(
            f"cannot be made: {error.strerror}",
            where=str(path),
            fix="the folder must be writable by this user",
        ) from error
    try:
        _take(descriptor, path, clock)
        since = datetime.fromtimestamp(clock.now()).strftime("%Y-%m-%d %H:%M:%S")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} ({by}), since {since}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, clock: Clock) -> None:
    deadline = clock.monotonic() + GLANCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if clock.monotonic() > deadline:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace")
                raise LeaseError(
                    f"another promotion is under way: {holder or 'another process'}",
                    where=str(path),
                    fix="wait until it has ended; one at a time",
                ) from error
            clock.sleep(0.05)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
