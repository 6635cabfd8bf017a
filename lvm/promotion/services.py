"""What a promotion asks of the services, however they are run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from lvm.errors import ServiceError


class Services(Protocol):
    """All but `address` raise ServiceError (or another LvmError) when it cannot be done."""

    def address(self, name: str) -> str:
        """For people, "" if there is no such service in lvm.toml."""
        ...

    def loads(self, name: str) -> Path:
        """The file or link that it loads."""
        ...

    def running(self, name: str) -> bool: ...

    def restart(self, name: str) -> None:
        """Restart it, or start it if it does not run."""
        ...

    def stop(self, name: str) -> None: ...

    def health(self, name: str) -> dict[str, Any]:
        """What `GET /health` answers; "sha256" among it."""
        ...

    def predict(self, name: str, contexts: Sequence[Sequence[float]]) -> list[float]: ...


class NoServices:
    """Where none is configured: `plan` then restarts nothing, so nothing else is ever asked."""

    def address(self, name: str) -> str:  # noqa: ARG002
        return ""

    def loads(self, name: str) -> Path:
        raise _none(name)

    def running(self, name: str) -> bool:  # noqa: ARG002
        return False

    def restart(self, name: str) -> None:
        raise _none(name)

    def stop(self, name: str) -> None:
        raise _none(name)

    def health(self, name: str) -> dict[str, Any]:
        raise _none(name)

    def predict(self, name: str, contexts: Sequence[Sequence[float]]) -> list[float]:  # noqa: ARG002
        raise _none(name)


def _none(name: str) -> ServiceError:
    return ServiceError(f"there is no service {name}", fix=f"[services.{name}] in lvm.toml adds it")
