"""`lvm serve`: one service in the foreground."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lvm.cli.output import Output
from lvm.errors import InputError


def serve(arguments: Namespace, output: Output) -> int:
    from lvm.service.serving import ServiceSpec, inherited, listen
    from lvm.service.serving import serve as run

    root = Path(arguments.root)
    if arguments.fd is not None:
        if arguments.port is not None or arguments.host is not None:
            raise InputError("--fd is given together with --host or --port", fix="give one")
        listener = inherited(arguments.fd)
    elif arguments.port is None:
        raise InputError("no port", fix="give --port P, or --fd N")
    else:
        listener = listen(arguments.host or "127.0.0.1", arguments.port)
    model = arguments.model or root / f"artifacts/lvm/models/{arguments.name}_v0.pt"
    spec = ServiceSpec(name=arguments.name, model=Path(model), device=arguments.device)
    with listener:
        run(spec, listener, output.message)
    return 0
