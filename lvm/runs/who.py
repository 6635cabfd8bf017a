"""Who and where this process is, and whether another process still lives."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from functools import cache
from pathlib import Path


def host() -> str:
    return socket.gethostname()


def whoami() -> str:
    """user@host:terminal, for the record."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        user = str(os.getuid())
    terminal = "-"
    for stream in (0, 1, 2):
        if os.isatty(stream):
            terminal = os.ttyname(stream).removeprefix("/dev/")
            break
    return f"{user}@{host()}:{terminal}"


@cache
def place() -> str:
    """Where process ids mean the same: this boot of this host, in this container."""
    parts = [host()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(str(path.readlink()) if path.is_symlink() else path.read_text().strip())
        except OSError:  # not Linux
            continue
    return " ".join(parts)


def process_start(pid: int) -> str | None:
    """When a process of this place began, as an opaque text that tells it from a later one with the
    same number; None if there is none, or only its exit status is left."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        state, start = fields[0], fields[19]  # fields 3 and 22 of proc(5)
        return None if state in "ZX" else start
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.NoSuchProcess:
        return None
