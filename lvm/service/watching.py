"""What supervisord says of its processes, as what people want to know; pure but for one log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvm.service.status import Process, ProcessState

_STATES: dict[str, ProcessState] = {
    "STOPPED": "stopped",
    "STARTING": "starting",
    "RUNNING": "running",
    "BACKOFF": "retrying",
    "EXITED": "retrying",  # for a moment: it is started again
    "STOPPING": "stopping",
    "FATAL": "failed",
}

_TELLING: tuple[ProcessState, ...] = ("stopped", "failed", "stopping", "retrying")
"""Where no slot is alive, that whose state comes later here speaks for the service."""

_LOG_TAIL = 64 * 1024
_EXITED = re.compile(r"exited: (\S+)_\d+ \((.*?);? ?(?:not expected|expected)\)")


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the processes that a service can have."""

    service: str
    number: int
    state: ProcessState
    pid: int = 0
    began: int = 0
    """Unix time."""
    said: str = ""
    """What supervisord says of it."""

    @property
    def address(self) -> str:
        return f"{self.service}:{self.service}_{self.number}"

    @property
    def alive(self) -> bool:
        """Serves, or is about to."""
        return self.state in ("starting", "running")


def slot_of(info: dict[str, Any]) -> Slot:
    """From `supervisor.getAllProcessInfo`."""
    return Slot(
        service=info["group"],
        number=int(info["name"].rpartition("_")[2]),
        state=_STATES.get(info["statename"], "failed"),
        pid=int(info["pid"]),
        began=int(info["start"]),
        said=info["spawnerr"] or info["description"],
    )


def process_of(
    slots: Sequence[Slot], exits: int = 0, last_exit: str = "", now: float = 0.0
) -> Process:
    """What the slots of a service are together. last_exit: why it ended by itself last."""
    alive = sorted((slot for slot in slots if slot.alive), key=lambda slot: slot.began)
    one = alive[-1] if alive else max(slots, key=lambda slot: _TELLING.index(slot.state))
    match one.state:
        case "failed":
            note = f"given up: {last_exit or one.said or 'it ended again and again'}"
        case "retrying":
            note = last_exit or one.said
        case "stopped":
            note = ""
        case _ if len(alive) > 1:
            note = f"is being restarted; pid {alive[0].pid} answers too"
        case _:
            note = f"last ended: {last_exit}" if last_exit else ""
    return Process(
        state=one.state,
        pid=one.pid,
        uptime_seconds=max(now - one.began, 0.0) if one.pid and now else 0.0,
        exits=exits,
        note=note,
    )


def last_exits(log: Path) -> dict[str, str]:
    """Service → why it ended by itself last, as far back as supervisord's log is read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return {}
    return exits_in(text)


def exits_in(log: str) -> dict[str, str]:
    return dict(_EXITED.findall(log))
