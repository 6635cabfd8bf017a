"""Our supervisord: its folder, its configuration, its start, and words with it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import stat
import subprocess
import sys
import tempfile
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
SETTLED_SECONDS = 30
"""A service that ends sooner has failed to start; it is tried RETRIES times more, then given up."""
RETRIES = 3
BACKLOG = 1024
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

    @property
    def folder(self) -> Path:
        return self.root / "artifacts" / "lvm" / "services"

    @property
    def config(self) -> Path:
        return self.folder / "supervisord.conf"

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    @property
    def socket(self) -> Path:
        """In the folder; where its path is too long for a unix socket, in one of this user's."""
        near = self.folder / "supervisor.sock"
        if len(os.fsencode(near)) <= LONGEST_SOCKET:
            return near
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"lvm-{os.getuid()}" / f"{digest}.sock"

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
                    fix="remove it, or set TMPDIR to a folder of your own",
                )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One change at a time, whoever makes it."""
        self.prepare()
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def command_of(root: Path, name: str) -> list[str]:
    """What a service runs. -P: a folder named lvm in the project is not this package."""
    serve = ["serve", name, "--root", str(root), "--fd", "0"]
    return [sys.executable, "-P", "-m", "lvm", *serve]


def render(home: Home, programs: Sequence[Program]) -> str:
    """The text of supervisord.conf."""
    log = home.log("supervisord")
    parts = [
        f"""\
; Written by lvm services: changes are lost. Settings are in lvm.toml.
[supervisord]
logfile={_value(log)}
pidfile={_value(home.folder / "supervisord.pid")}
logfile_maxbytes={LOG_BYTES}
logfile_backups={LOG_BACKUPS}
childlogdir={_value(home.folder)}
directory={_value(home.root)}
nocleanup=true
identifier=lvm

[unix_http_server]
file={_value(home.socket)}
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
command={_value(shlex.join(command_of(home.root, program.name)))}
socket=tcp://{host}:{program.port}
socket_backlog={BACKLOG}
process_name=%(program_name)s
directory={_value(home.root)}
autostart=false
autorestart=true
startsecs={SETTLED_SECONDS}
startretries={RETRIES}
stopsignal=TERM
stopwaitsecs={DRAIN_SECONDS}
killasgroup=true
redirect_stderr=true
stdout_logfile={_value(home.log(program.name))}
stdout_logfile_maxbytes={LOG_BYTES}
stdout_logfile_backups={LOG_BACKUPS}
"""
        )
    return "".join(parts)


def _value(text: object) -> str:
    """supervisord expands %(…)s, and takes " ;" for the beginning of a remark."""
    value = str(text).replace("%", "%%")
    if " ;" in value or "\n" in value:
        raise ServiceError(
            "supervisord cannot have ' ;' or a line break in a path",
            where=str(text),
            fix="move or rename the project folder",
        )
    return value


def call(home: Home, method: str, *arguments: Any) -> Any:
    """One call of supervisord's XML-RPC. Raises ServiceError if nobody answers there, and
    xmlrpc.client.Fault for what it refuses."""
    from supervisor.xmlrpc import SupervisorTransport

    transport = SupervisorTransport(None, None, f"unix://{home.socket}")
    proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
    try:
        return getattr(proxy, method)(*arguments)
    except (OSError, xmlrpc.client.ProtocolError) as error:
        raise ServiceError(
            f"supervisord does not answer: {error}",
            where=str(home.socket),
            fix="lvm services start starts it",
        ) from error
    finally:
        transport.close()


def is_alive(home: Home) -> bool:
    with contextlib.suppress(ServiceError):
        return bool(call(home, "supervisor.getState")["statename"] == "RUNNING")
    return False


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
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise ServiceError(
            f"supervisord does not start: {said[-1] if said else f'exit {done.returncode}'}",
            where=str(home.config),
            fix=f"see {home.log('supervisord')}",
        )


def write_config(home: Home, programs: Sequence[Program]) -> None:
    write_text(home.config, render(home, programs))
