"""What is known of a service, and what whoever runs it can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

ProcessState = Literal["stopped", "starting", "running", "retrying", "stopping", "failed"]
"""retrying: it ended by itself and is started again after a while. failed: that was given up."""

ServiceState = Literal[ProcessState, "silent"]
"""silent: its process runs, but does not answer /health."""


@dataclass(frozen=True, slots=True)
class Process:
    """What whoever runs a service knows of it."""

    state: ProcessState
    pid: int = 0
    uptime_seconds: float = 0.0
    exits: int = 0
    """How often it ended by itself since its supervisor started."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One line of `lvm services status`."""

    name: str
    state: ServiceState
    host: str
    port: int
    model: Path
    """The file or link that it loads when it starts."""
    pid: int = 0
    uptime_seconds: float = 0.0
    exits: int = 0
    note: str = ""
    health: dict[str, Any] = field(default_factory=dict)
    """What /health said; {} if nothing."""
    sha256: str = ""
    """Of the file that it would load now; "" if there is none."""

    @property
    def current(self) -> bool | None:
        """Whether it serves the file that stands there now; None if one of them is not known."""
        served = self.health.get("sha256", "")
        return served == self.sha256 if served and self.sha256 else None


Look = Callable[[], Process]
"""What is known of a process at this moment."""

Wait = Callable[[str, Look], None]
"""Of a service: returns when the process that is looked at answers /health. Raises ServiceError
when it will not."""


class Control(Protocol):
    """Starts and stops processes: supervisord, or the site's own commands. Raises ServiceError."""

    def start(self, names: Sequence[str]) -> None:
        """Begin to start them; what runs is left alone. Does not wait for an answer."""
        ...

    def stop(self, names: Sequence[str]) -> None:
        """Returns when they have drained and ended."""
        ...

    def restart(self, names: Sequence[str], wait: Wait) -> None:
        """One after the other. Where the control can, the new process answers before the old one
        is asked to end, and one that does not come up leaves the old one be."""
        ...

    def processes(self, names: Sequence[str]) -> dict[str, Process]: ...

    def logs(self, name: str, lines: int) -> list[str]:
        """The last lines of what a service said, oldest first."""
        ...
