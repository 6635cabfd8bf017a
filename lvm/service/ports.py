"""Who has a port, and services that lost their supervisord and still have theirs."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator
from pathlib import Path

import psutil

from lvm.errors import ServiceError
from lvm.service.supervisord import Home, command_of

ORPHAN_SECONDS = 10.0
"""That a service whose supervisord was killed may take to drain, before it is killed as well."""

_UNSEEN = "?"


def require_free(name: str, host: str, port: int) -> None:
    """Raises ServiceError with who has the port, where the system tells."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise ServiceError(
            f"port {port} of service {name} cannot be had: {why}{_holder(port)}",
            where=f"{host}:{port}",
            fix=f"stop what listens there, or set another port in [services.{name}]",
        ) from error


def _holder(port: int) -> str:
    """ ", held by pid … (…)" where that can be seen."""
    try:
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr[1] == port:
                name = psutil.Process(each.pid).name() if each.pid else _UNSEEN
                return f", held by pid {each.pid or _UNSEEN} ({name})"
    except psutil.Error:
        pass
    return ""


def orphans(home: Home) -> Iterator[tuple[str, psutil.Process]]:
    """The services of a project that run, by command and folder: a supervisord that was killed
    leaves them behind, and their sockets with them. Ask only where there is no supervisord."""
    pattern = command_of("")[1:]  # by another path to this interpreter it is one too
    at = pattern.index("")
    for process in psutil.process_iter():
        try:
            command = process.cmdline()[1:]
            if len(command) != len(pattern) or process.uids().real != os.getuid():
                continue
            name, command[at] = command[at], ""
            if command == pattern and Path(process.cwd()) == home.root:
                yield name, process
        except psutil.Error:
            continue


def end_orphans(home: Home, names: Collection[str] | None = None) -> None:
    """All, or those of some services. Returns when they have drained and ended."""
    found = [process for name, process in orphans(home) if names is None or name in names]
    for process in found:
        process.terminate()
    for process in psutil.wait_procs(found, ORPHAN_SECONDS)[1]:
        process.kill()
