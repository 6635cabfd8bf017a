"""Our supervisord: its folder, its configuration, its start, and words with it."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import re
import shlex
import socket
import stat
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvm.errors import ServiceError
from lvm.files import write_text
from lvm.service.holding import NAMESPACE

LONGEST_SOCKET = 90
"""Bytes of a unix socket's path: the system takes 104 or 108, and supervisord adds its pid."""
DRAIN_SECONDS = 45
"""That a service may take to answer what it was asked before it is killed."""
ANSWER_SECONDS = 10.0
"""That supervisord may take to answer; it never works for long."""
SLOTS = (0, 1)
"""A service has one process, and two while it is restarted."""
SETTLED_SECONDS = 30
"""A service that ends sooner has failed to start; it is tried RETRIES times more, then given up."""
RETRIES = 3
BACKLOG = 1024
_SHUTDOWN_STATE = 6
"""supervisor.xmlrpc.Faults, which is not imported: it brings a web server along."""
LOG_BYTES, LOG_BACKUPS = 5_000_000, 3


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Home:
    """Where the files of a project's supervisord are."""

    root: Path
    """Absolute."""
    temporary: Path = Path("/tmp")
    """Not TMPDIR: that may be another one in the next terminal."""

    @property
    def folder(self) -> Path:
        return self.root / "artifacts" / "lvm" / "services"

    @property
    def config(self) -> Path:
        return self.folder / "supervisord.conf"

    @property
    def log(self) -> Path:
        """What supervisord itself said."""
        return self.folder / "supervisord.log"

    def service_log(self, name: str, slot: int) -> Path:
        return self.folder / f"{name}_{slot}.log"

    @property
    def socket(self) -> Path:
        """In the folder; where its path is too long for a unix socket, in one of this user's."""
        near = self.folder / "supervisor.sock"
        if len(os.fsencode(near)) <= LONGEST_SOCKET:
            return near
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return self.temporary / f"lvm-{os.getuid()}" / f"{digest}.sock"

    def prepare(self) -> None:
        """Make the folders. Raises ServiceError if another user could reach the socket."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.socket.parent
        if place != self.folder:
            place.mkdir(mode=0o700, exist_ok=True)
            found = place.lstat()
            ours = found.st_uid == os.getuid() and stat.S_ISDIR(found.st_mode)
            if not ours or found.st_mode & 0o077:
                raise ServiceError(
                    "is not a folder of this user alone",
                    where=str(place),
                    fix="remove it",
                )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One change at a time, whoever makes it."""
        self.prepare()
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def command_of(name: str) -> list[str]:
    """What a service runs, in the project folder. -P: a folder named lvm in it is not this
    package."""
    return [sys.executable, "-P", "-m", "lvm", "serve", name, "--root", ".", "--fd", "0"]


def render(home: Home, programs: Sequence[Program]) -> str:
    """The text of supervisord.conf. Its paths are relative to the project folder, in which
    supervisord is started: a % or a ; in the name of a folder has a meaning there."""
    folder = home.folder.relative_to(home.root)
    socket_file = home.socket
    if socket_file.is_relative_to(home.root):
        socket_file = socket_file.relative_to(home.root)
    parts = [
        f"""\
; Written by lvm services: changes are lost. Settings are in lvm.toml.
[supervisord]
logfile={folder}/{home.log.name}
pidfile={folder}/supervisord.pid
logfile_maxbytes={LOG_BYTES}
logfile_backups={LOG_BACKUPS}
childlogdir={folder}
nocleanup=true
identifier=lvm

[unix_http_server]
file={socket_file}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[rpcinterface:{NAMESPACE}]
supervisor.rpcinterface_factory = lvm.service.holding:make
"""
    ]
    for program in programs:
        host = f"[{program.host}]" if ":" in program.host else program.host
        parts.append(
            f"""
[fcgi-program:{program.name}]
command={_value(shlex.join(command_of(program.name)))}
socket=tcp://{host}:{program.port}
socket_backlog={BACKLOG}
numprocs={len(SLOTS)}
process_name=%(program_name)s_%(process_num)d
autostart=false
autorestart=true
startsecs={SETTLED_SECONDS}
startretries={RETRIES}
stopsignal=TERM
stopwaitsecs={DRAIN_SECONDS}
killasgroup=true
redirect_stderr=true
stdout_logfile={folder}/%(program_name)s_%(process_num)d.log
stdout_logfile_maxbytes={LOG_BYTES}
stdout_logfile_backups={LOG_BACKUPS}
"""
        )
    return "".join(parts)


def _value(text: object) -> str:
    """supervisord expands %(…)s, and takes " ;" and " #" for the beginning of a remark."""
    value = str(text).replace("%", "%%")
    if re.search(r"\s[;#]|[\r\n]", value):
        raise ServiceError(
            "supervisord cannot have ' ;', ' #' or a line break in a path",
            where=str(text),
            fix="install lvm in a folder with a plainer name",
        )
    return value


class NotRunning(ServiceError):
    """Nobody listens on the socket of supervisord."""


class ShuttingDown(ServiceError):
    """supervisord ends its services and then itself; it answers nothing else any more."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    """XML-RPC over a unix socket, with a time-out: supervisord's own transport has none."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__()
        self._path, self._timeout = path, timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _Connection(self._path, self._timeout)
        self._connection = host, connection  # for close()
        return connection


def call(home: Home, method: str, *arguments: Any, seconds: float = ANSWER_SECONDS) -> Any:
    """One call of supervisord's XML-RPC.

    Raises NotRunning if there is none, ShuttingDown, ServiceError if it does not answer within
    `seconds`, and xmlrpc.client.Fault for what it refuses.
    """
    transport = _Transport(home.socket, seconds)
    with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
        try:
            return getattr(proxy, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != _SHUTDOWN_STATE:
                raise
            raise ShuttingDown(
                "supervisord shuts down",
                where=str(home.socket),
                fix="wait until it has, then lvm services start",
            ) from fault
        except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError) as error:
            raise NotRunning(
                "supervisord does not run",
                where=str(home.socket),
                fix="lvm services start starts it",
            ) from error
        except TimeoutError as error:
            pid = (home.folder / "supervisord.pid").read_text().strip()
            raise ServiceError(
                f"supervisord (pid {pid}) does not answer within {seconds:g} s",
                where=str(home.socket),
                fix=f"if it hangs: kill -9 {pid}, then lvm services start takes its services over",
            ) from error
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise ServiceError(
                f"supervisord fails at {method}: {error}",
                where=str(home.socket),
                fix=f"see {home.log}",
            ) from error


def state(home: Home) -> str:
    """RUNNING, SHUTDOWN, … as supervisord says it; "" if there is none."""
    try:
        return str(call(home, "supervisor.getState")["statename"])
    except ShuttingDown:
        return "SHUTDOWN"
    except NotRunning:
        return ""


def is_alive(home: Home) -> bool:
    return state(home) == "RUNNING"


def launch(home: Home) -> None:
    """Start the daemon; it has its sockets when this returns. Raises ServiceError."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "supervisor.supervisord", "-c", str(home.config)],
        cwd=home.root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).partition("\nFor help,")[0].strip()
        raise ServiceError(
            f"supervisord does not start: {said or f'exit {done.returncode}'}",
            where=str(home.config),
            fix=f"see {home.log}",
        )


def write_config(home: Home, programs: Sequence[Program]) -> None:
    write_text(home.config, render(home, programs))
