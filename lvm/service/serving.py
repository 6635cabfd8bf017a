"""One service in the foreground: listen, load, answer, drain."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lvm.clock import Clock, SystemClock
from lvm.errors import InputError, RunError
from lvm.service.limits import Limits

BACKLOG = 1024
"""Connections that wait while a model loads."""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """What `lvm serve` runs."""

    name: str
    model: Path
    device: str = "auto"
    bank: Path | None = None
    """Texts and vectors for /chat; None: /predict only."""
    encoder: str = ""
    """As `lvm encode --encoder` takes it; "": the one that made the bank."""
    decoder: str = ""
    """http://… of a decoder; "": the texts of the bank."""


def serve(
    spec: ServiceSpec,
    listener: socket.socket,
    tell: Callable[[str], None],
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> None:
    """Answer on `listener` until SIGTERM or SIGINT, then drain and return.

    The model is loaded first: connections wait on the socket meanwhile, and a bad checkpoint
    raises CheckpointError before anything is answered. Raises DataError for a bad bank.
    """
    from lvm.service.answering import open_answering
    from lvm.service.app import make_app
    from lvm.service.model import load_model
    from lvm.service.protocol import ServiceServer, configure

    limits = limits or Limits()
    model = load_model(spec.model, spec.device, limits.batch)
    if model.warning:
        tell(model.warning)
    clock = clock or SystemClock()
    answering = open_answering(spec.name, model.dim, spec.bank, spec.encoder, spec.decoder, clock)
    app = make_app(spec.name, model, answering, limits, clock)
    tell(
        f"{spec.name}: {model.model_type}, {model.dim} wide, on {model.device}, "
        f"{model.file} (sha256 {model.sha256[:12]}…)"
    )
    tell(f"{spec.name}: chat: {answering.missing or 'ready'}")
    tell(f"{spec.name}: answering at {address(listener)}")
    ServiceServer(configure(app, limits), limits).run(sockets=[listener])
    tell(f"{spec.name}: stopped")


def inherited(descriptor: int) -> socket.socket:
    """The listening socket that somebody else opened and handed over as a file descriptor.

    Raises InputError when it is none.
    """
    where = f"--fd {descriptor}"
    fix = "it must be a listening TCP socket, as supervisord hands it to an fcgi-program as fd 0"
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise InputError("is no socket", where=where, fix=fix)
        listener = socket.socket(fileno=os.dup(descriptor))
    except OSError as error:
        raise InputError(f"cannot be used: {error.strerror}", where=where, fix=fix) from error
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        listener.close()
        raise InputError("is a socket, but does not listen", where=where, fix=fix)
    return listener


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the system choose. Raises RunError, InputError."""
    if not 0 <= port <= 65535:  # the system would take the rest of it
        raise InputError(f"port {port}", fix="a port is a number up to 65535")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise InputError(f"unknown host {host!r}", fix="like 127.0.0.1 or ::1") from error
    family, _, _, _, place = found[0]
    try:
        return socket.create_server(place[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise RunError(
            f"cannot listen: {os.strerror(error.errno or 0)}",
            where=f"{host}:{port}",
            fix="stop what listens there, or give another --port",
        ) from error


def address(listener: socket.socket) -> str:
    """http://… of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
