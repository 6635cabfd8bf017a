"""`[services]` and `[services.NAME]`: one HTTP service a model, and who runs them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from lvm.errors import InputError, SettingsError

ManagerKind = Literal["supervisor", "commands"]
"""Who starts and stops the services: a supervisord of ours, or commands of the site's own."""

PORTS = {"transformer": 9002, "gru": 9003, "lstm": 9004, "amn": 9006}
"""The services that there are without any setting (spec/promotion.md)."""

MODELS = "artifacts/lvm/models"
"""Where the links are that services load; relative to the project folder."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_COMMANDS = ("start", "stop", "restart", "status", "logs")


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """One service. Paths are relative to the project folder."""

    port: int = 0
    """0 only before the section is complete: every service has a port of its own."""
    enabled: bool = True
    """False: this service does not exist, not even as a default."""
    model: str = ""
    """A checkpoint; "" = artifacts/lvm/models/NAME_v0.pt, the link that `lvm promote` sets."""
    device: str = "auto"
    bank: str = ""
    """Texts and vectors for /chat; "" = the bank that the model was trained on, else that of
    [data]."""
    encoder: str = ""
    """As `lvm encode --encoder` takes it; "" = the one that made the bank."""
    decoder: str = ""
    """http://… of a decoder; "" = the texts of the bank."""
    start: str = ""
    """These five only with manager = "commands": for the shell, which finds LVM_SERVICE. status
    exits with 0 if the service runs; restart may be left out: then it is stop, start."""
    stop: str = ""
    restart: str = ""
    status: str = ""
    logs: str = ""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            kind, words = _KINDS[str(item.type)]
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                raise SettingsError(f"{item.name} = {value!r}", fix=f"{item.name} must be {words}")
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"port = {self.port}", fix="port must be from 1 to 65535")
        if self.device.split(":")[0] not in ("auto", "cpu", "cuda", "mps"):
            raise SettingsError(
                f"device = {self.device!r}", fix="device must be auto, cpu, cuda, cuda:1 or mps"
            )


_KINDS: dict[str, tuple[type, str]] = {
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "str": (str, "a text"),
}


def _defaults() -> dict[str, ServiceSettings]:
    return {name: ServiceSettings(port=port) for name, port in PORTS.items()}


@dataclass(frozen=True, slots=True)
class ServicesSettings:
    """All of them, and what they have in common."""

    host: str = "127.0.0.1"
    """The address that they listen on; only this machine reaches the default."""
    manager: ManagerKind = "supervisor"
    start_seconds: float = 30.0
    """Until a service that was started must answer /health; a promotion goes back after it."""
    command_seconds: float = 60.0
    """That a command of the site's own may take."""
    named: Mapping[str, ServiceSettings] = field(default_factory=_defaults)

    def __post_init__(self) -> None:
        if not isinstance(self.host, str) or not self.host or self.host != self.host.strip():
            raise SettingsError(f"host = {self.host!r}", fix="host must be a name or an address")
        if self.manager not in get_args(ManagerKind):
            raise SettingsError(
                f"manager = {self.manager!r}",
                fix=f"manager must be one of {', '.join(get_args(ManagerKind))}",
            )
        for name in ("start_seconds", "command_seconds"):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and 0 < value <= 3600):
                raise SettingsError(f"{name} = {value!r}", fix=f"{name} must be above 0")
        taken: dict[int, str] = {}
        for name, service in self.enabled.items():
            if not service.port:
                raise SettingsError(f"service {name!r} has no port", fix="give it one: port = 9010")
            other = taken.setdefault(service.port, name)
            if other != name:
                raise SettingsError(
                    f"port = {service.port} of service {name!r} is that of service {other!r}",
                    fix="give each a port of its own",
                )

    @property
    def enabled(self) -> dict[str, ServiceSettings]:
        """Name → service, in the order in which they are listed everywhere."""
        return {name: service for name, service in self.named.items() if service.enabled}

    def service(self, name: str) -> ServiceSettings:
        """Raises InputError for a name that is none of them."""
        found = self.enabled.get(name)
        if found is None:
            known = ", ".join(self.enabled) or "none"
            raise InputError(
                f"there is no service {name!r}",
                fix=f"known are: {known}; [services.{name}] in lvm.toml adds it",
            )
        return found

    def model_file(self, root: Path, name: str) -> Path:
        """The file or link that a service loads."""
        given = self.service(name).model
        return root / (given or f"{MODELS}/{name}_v0.pt")


def check_name(name: str) -> None:
    """Raises SettingsError for a name that could not be part of a file's name."""
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{name!r} cannot be the name of a service",
            fix="letters, digits, - and _; at most 64",
        )


def with_named(general: dict[str, Any], named: dict[str, dict[str, Any]]) -> ServicesSettings:
    """The settings of a file: what it says of a default service changes that one."""
    services = _defaults()
    for name, values in named.items():
        check_name(name)
        before = services.get(name, ServiceSettings())
        services[name] = dataclasses.replace(before, **values)
    return ServicesSettings(**general, named=services)
