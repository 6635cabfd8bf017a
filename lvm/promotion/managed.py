"""The services of a project as a promotion sees them: lvm.service's manager and client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lvm.errors import LvmError, ServiceError
from lvm.runs.project import Project
from lvm.service.client import ServiceClient
from lvm.service.manager import Manager, open_manager, reached

ANSWER_SECONDS = 5.0
"""That one request may take; a service whose socket is held keeps it waiting while it restarts."""


class ManagedServices:
    """Implements `Services`."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    def address(self, name: str) -> str:
        services = self._manager.services
        if name not in services.enabled:
            return ""
        return f"http://{services.host}:{services.service(name).port}"

    def loads(self, name: str) -> Path:
        return self._manager.services.model_file(self._manager.root, name)

    def running(self, name: str) -> bool:
        return self._manager.status([name])[0].state not in ("stopped", "failed")

    def restart(self, name: str) -> None:
        try:
            self._manager.restart([name])
        except ServiceError:
            raise
        except LvmError as error:
            raise ServiceError(error.what, where=f"service {name}", fix=error.fix) from error

    def stop(self, name: str) -> None:
        self._manager.stop([name])

    def health(self, name: str) -> dict[str, Any]:
        with self._client(name) as client:
            return client.health()

    def predict(self, name: str, contexts: Sequence[Sequence[float]]) -> list[float]:
        with self._client(name) as client:
            return client.predict(contexts)

    def _client(self, name: str) -> ServiceClient:
        services = self._manager.services
        port = services.service(name).port
        return ServiceClient(reached(services.host), port, ANSWER_SECONDS)


def services_of(project: Project) -> ManagedServices:
    """Those of `lvm.toml`. Raises SettingsError; starts and asks nothing yet."""
    return ManagedServices(open_manager(project.root, project.config().services, project.clock))
