"""`lvm serve`: one service in the foreground. `lvm chat`: one message to it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lvm.cli.chat_report import chat_lines
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
    spec = ServiceSpec(
        name=arguments.name,
        model=Path(arguments.model or root / f"artifacts/lvm/models/{arguments.name}_v0.pt"),
        device=arguments.device,
        bank=Path(arguments.bank) if arguments.bank else None,
        encoder=arguments.encoder or "",
        decoder=arguments.decoder or "",
    )
    with listener:
        run(spec, listener, output.message)
    return 0


def chat(arguments: Namespace, output: Output) -> int:
    from lvm.service.client import ServiceClient

    if arguments.port is None:
        raise InputError("no port", fix="give --port P")
    host, port = arguments.host or "127.0.0.1", arguments.port
    with ServiceClient(host, port, timeout=arguments.timeout) as client:
        answer = client.chat(arguments.text, arguments.temperature, arguments.seed)
    if output.as_json:
        output.document(answer)
    else:
        output.lines(chat_lines(answer))
    return 0
