"""Services as people mean them: started is what answers /health with the model that stands there.

Imports neither torch nor numpy: the dashboard and `lvm services` use it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lvm.clock import Clock, SystemClock
from lvm.config import ServicesSettings
from lvm.errors import InputError, LvmError, ServiceError
from lvm.service.client import ServiceClient
from lvm.service.status import Control, Look, Process, ServiceState, ServiceStatus

HEALTH_SECONDS = 1.0
"""That a status waits for /health: a look must not hang on a service that does."""
POLL = 0.1
"""Seconds between two looks at a service that starts."""
LAST_WORDS = 2
"""Lines of its log that are shown of a service that does not come up."""


def open_manager(root: Path, services: ServicesSettings, clock: Clock | None = None) -> Manager:
    """The manager that the settings name; touches nothing yet."""
    from lvm.service.own_commands import OwnCommands
    from lvm.service.supervise import Supervisor

    clock = clock or SystemClock()
    control: Control
    if services.manager == "commands":
        control = OwnCommands(root, services)
    else:
        control = Supervisor(root, services, clock)
    return Manager(root, services, control, clock)


class Manager:
    """All services of a project, whoever runs them."""

    def __init__(
        self, root: Path, services: ServicesSettings, control: Control, clock: Clock
    ) -> None:
        self.root, self.services = root, services
        self._control, self._clock = control, clock
        self._hashes: dict[Path, tuple[object, str]] = {}

    def names(self, given: Sequence[str] = ()) -> list[str]:
        """Those named, else all. Raises InputError for one that there is not."""
        for name in given:
            self.services.service(name)
        return list(dict.fromkeys(given)) or list(self.services.enabled)

    def with_model(self, names: Iterable[str]) -> list[str]:
        """Those whose model file is there."""
        return [name for name in names if self.services.model_file(self.root, name).is_file()]

    # ------------------------------------------------------------------ what is done

    def start(self, names: Sequence[str]) -> None:
        """Start them and wait until each answers. Raises InputError where a model is missing,
        ServiceError where one does not come up."""
        names = self._with_models(names)
        self._control.start(names)
        for name in names:
            self._wait(name, self._look(name))

    def restart(self, names: Sequence[str]) -> None:
        """Replace each by a process with the model that stands there now, and return when that
        answers and the old one has ended; what did not run is started.

        Raises as `start`. Under supervisord a service whose new process does not come up goes on
        with the old one.
        """
        self._control.restart(self._with_models(names), self._wait)

    def stop(self, names: Sequence[str]) -> None:
        """Returns when they have answered what they were asked and ended."""
        self._control.stop(self.names(names))

    def logs(self, name: str, lines: int) -> list[str]:
        self.services.service(name)
        return self._control.logs(name, lines)

    def _with_models(self, names: Sequence[str]) -> list[str]:
        names = self.names(names)
        present = self.with_model(names)
        for name in names:
            if name not in present:
                raise InputError(
                    f"service {name} has no model",
                    where=str(self.services.model_file(self.root, name)),
                    fix=f"lvm promote CKPT --as {name} puts one there",
                )
        return names

    def _look(self, name: str) -> Look:
        return lambda: self._control.processes([name])[name]

    def _wait(self, name: str, look: Look) -> None:
        limit = self.services.start_seconds
        deadline = self._clock.monotonic() + limit
        while not self._is_up(name, look()):
            if self._clock.monotonic() > deadline:
                raise self._not_up(name, f"does not answer within {limit:g} s ({look().state})")
            self._clock.sleep(POLL)

    def _is_up(self, name: str, process: Process) -> bool:
        """Raises ServiceError when it will not come up by waiting."""
        if process.state in ("retrying", "failed"):  # a daemon may not be there yet
            raise self._not_up(name, f"ended while starting ({process.note or process.state})")
        health = self._health(name)
        return bool(health) and process.pid in (0, health.get("pid"))

    def _not_up(self, name: str, what: str) -> ServiceError:
        said = [line for line in self._control.logs(name, 30) if line.strip()][-LAST_WORDS:]
        return ServiceError(
            f"service {name} {what}" + (": " + " / ".join(map(str.strip, said)) if said else ""),
            where=f"{self.services.host}:{self.services.service(name).port}",
            fix=f"lvm services logs {name}",
        )

    # ------------------------------------------------------------------ what is seen

    def status(self, names: Sequence[str] = ()) -> list[ServiceStatus]:
        """One a service, in their order; asks them all at once, for at most HEALTH_SECONDS."""
        names = self.names(names)
        processes = self._control.processes(names)
        with ThreadPoolExecutor(max_workers=max(len(names), 1)) as pool:
            health = list(pool.map(self._health_if(processes), names))
        return [self._status(n, processes[n], h) for n, h in zip(names, health, strict=True)]

    def _health_if(self, processes: dict[str, Process]) -> Callable[[str], dict[str, Any]]:
        def ask(name: str) -> dict[str, Any]:
            alive = processes[name].state in ("starting", "running", "stopping")
            return self._health(name) if alive else {}

        return ask

    def _health(self, name: str) -> dict[str, Any]:
        """What it answers; {} for no answer."""
        service = self.services.service(name)
        with ServiceClient(reached(self.services.host), service.port, HEALTH_SECONDS) as client:
            try:
                return client.health()
            except LvmError:
                return {}

    def _status(self, name: str, process: Process, health: dict[str, Any]) -> ServiceStatus:
        model = self.services.model_file(self.root, name)
        state: ServiceState = process.state
        if health and state == "starting":
            state = "running"
        elif not health and state == "running":
            state = "silent"
        note = process.note
        if state == "stopped" and not model.is_file():
            note = f"no model: lvm promote CKPT --as {name}"
        return ServiceStatus(
            name=name,
            state=state,
            host=self.services.host,
            port=self.services.service(name).port,
            model=model,
            pid=process.pid or int(health.get("pid", 0)),
            uptime_seconds=process.uptime_seconds or float(health.get("uptime_seconds", 0.0)),
            exits=process.exits,
            note=note,
            health=health,
            sha256=self._sha256(model),
        )

    def _sha256(self, model: Path) -> str:
        """Of the file's bytes, read again only when it is another; "" if there is none."""
        try:
            found = model.stat()
            stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            kept = self._hashes.get(model)
            if kept is None or kept[0] != stamp:
                with model.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                self._hashes[model] = kept = (stamp, digest)
            return kept[1]
        except OSError:
            return ""


def reached(host: str) -> str:
    """Where this machine reaches what listens on `host`: a wildcard is no address to connect to."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
