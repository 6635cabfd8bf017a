"""`lvm serve`: one service in the foreground. `lvm chat`: one message to it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from lvm.cli.chat_report import chat_lines
from lvm.cli.output import Output
from lvm.config import Config, ServiceSettings, load_config
from lvm.errors import InputError, LvmError

if TYPE_CHECKING:
    from lvm.service.serving import ServiceSpec


def serve(arguments: Namespace, output: Output) -> int:
    from lvm.service.serving import inherited, listen
    from lvm.service.serving import serve as run

    root = Path(arguments.root)
    config = load_config(root)
    spec = _spec(arguments, root, config)
    if arguments.fd is not None:
        if arguments.port is not None or arguments.host is not None:
            raise InputError("--fd is given together with --host or --port", fix="give one")
        listener = inherited(arguments.fd)
    else:
        port: int | None = arguments.port
        if port is None:
            port = config.services.service(arguments.name).port
        listener = listen(arguments.host or config.services.host, port)
    with listener:
        run(spec, listener, output.message)
    return 0


def _spec(arguments: Namespace, root: Path, config: Config) -> ServiceSpec:
    """What lvm.toml says of the service, flags before that."""
    from lvm.service.serving import ServiceSpec

    name: str = arguments.name
    own = config.services.enabled.get(name, ServiceSettings())
    if arguments.model is not None:  # then any name will do
        model = Path(arguments.model)
    else:
        model = config.services.model_file(root, name)
    configured = own.bank or _bank_of_run(model) or config.data.bank
    bank = root / configured if configured else None
    if arguments.bank is not None:
        bank = Path(arguments.bank)
    return ServiceSpec(
        name=name,
        model=model,
        device=arguments.device or own.device,
        bank=bank,
        encoder=arguments.encoder or own.encoder,
        decoder=arguments.decoder or own.decoder,
    )


def _bank_of_run(model: Path) -> str:
    """The bank that the run of a checkpoint was trained on; "" if it is of no run, or of one that
    was trained on sequence files."""
    from lvm.runs.folder import RunFolder

    try:
        job = RunFolder(model.resolve().parent).record().get("job") or {}
        return str(job.get("data", {}).get("bank", ""))
    except LvmError:
        return ""


def chat(arguments: Namespace, output: Output) -> int:
    from lvm.service.client import ServiceClient

    services = load_config(Path(arguments.root)).services
    port = arguments.port or services.service(arguments.service).port
    host = arguments.host or services.host
    with ServiceClient(host, port, timeout=arguments.timeout) as client:
        answer = client.chat(arguments.text, arguments.temperature, arguments.seed)
    if output.as_json:
        output.document(answer)
    else:
        output.lines(chat_lines(answer))
    return 0
