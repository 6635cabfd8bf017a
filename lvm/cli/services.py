"""`lvm services`: start, stop, restart, status, logs."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path
from typing import Any, NoReturn

from lvm.cli.output import Output
from lvm.config import load_config
from lvm.errors import InputError
from lvm.promotion.state import pending
from lvm.runs.project import Project
from lvm.service.manager import Manager, open_manager
from lvm.service.status import ServiceStatus

FOLLOW_SECONDS = 0.5
FOLLOW_OVERLAP = 20
"""Lines by which it is seen where the new ones begin."""


def status(arguments: Namespace, output: Output) -> int:
    """Exit 0 when every service asked for answers; without names, every one that has a model."""
    manager = _manager(arguments, output)
    return _show(manager, arguments.name, output)


def start(arguments: Namespace, output: Output) -> int:
    manager = _manager(arguments, output)
    names = _meant(manager, arguments.name, output)
    output.message(f"starting {', '.join(names)} …")
    manager.start(names)
    return _show(manager, names, output)


def restart(arguments: Namespace, output: Output) -> int:
    manager = _manager(arguments, output)
    names = _meant(manager, arguments.name, output)
    output.message(f"restarting {', '.join(names)} …")
    manager.restart(names)
    return _show(manager, names, output)


def stop(arguments: Namespace, output: Output) -> int:
    manager = _manager(arguments, output)
    names = manager.names(arguments.name)
    output.message(f"stopping {', '.join(names)} …")
    manager.stop(names)
    _show(manager, names, output)
    return 0


def logs(arguments: Namespace, output: Output) -> int:
    manager = _manager(arguments, output)
    names = manager.names(arguments.name)
    if arguments.follow and len(names) != 1:
        raise InputError("--follow follows one service", fix="lvm services logs NAME --follow")
    said = {name: manager.logs(name, arguments.lines) for name in names}
    if output.as_json:
        output.document({"logs": said})
        return 0
    for name, lines in said.items():
        if len(names) > 1:
            output.line(f"== {name}", "bold")
        output.lines(lines or [f"{name} has not said anything yet"])
    if arguments.follow:
        _follow(manager, names[0], said[names[0]], output)
    return 0


def _follow(manager: Manager, name: str, lines: list[str], output: Output) -> NoReturn:
    """Until Ctrl-C."""
    while True:
        time.sleep(FOLLOW_SECONDS)
        newer = manager.logs(name, 1000)
        output.lines(_after(lines, newer))
        lines = newer or lines


def _after(before: list[str], now: list[str]) -> list[str]:
    """The lines of `now` that follow what was seen."""
    for end in range(len(now), 0, -1):
        overlap = min(len(before), end, FOLLOW_OVERLAP)
        if overlap and now[end - overlap : end] == before[-overlap:]:
            return now[end:]
    return now


def _manager(arguments: Namespace, output: Output) -> Manager:
    root = Path(arguments.root)
    left = pending(Project(root))
    if left is not None:
        output.message(f"{left.words}\n  → {left.advice}", "warn")
    return open_manager(root, load_config(root).services)


def _meant(manager: Manager, given: list[str], output: Output) -> list[str]:
    """Those named; without names those that have a model. Raises InputError if none has."""
    if given:
        return manager.names(given)
    names = manager.names()
    chosen = manager.with_model(names)
    if not chosen:
        raise InputError(
            "no service has a model yet",
            where=str(manager.services.model_file(manager.root, names[0])) if names else "",
            fix="lvm promote CKPT --as NAME puts one there",
        )
    left = [name for name in names if name not in chosen]
    if left:
        output.message(f"left out, for there is no model: {', '.join(left)}")
    return chosen


def _show(manager: Manager, names: list[str], output: Output) -> int:
    found = manager.status(names)
    if output.as_json:
        output.document({"services": [_document(each) for each in found]})
    else:
        head = ["service", "state", "address", "pid", "up", "exits", "model", ""]
        output.table(head, [_row(each) for each in found])
    asked = names or manager.with_model(manager.names())
    return 0 if all(each.state == "running" for each in found if each.name in asked) else 1


def _document(each: ServiceStatus) -> dict[str, Any]:
    return {
        "name": each.name,
        "state": each.state,
        "host": each.host,
        "port": each.port,
        "pid": each.pid or None,
        "uptime_seconds": round(each.uptime_seconds, 1),
        "exits": each.exits,
        "note": each.note,
        "model": str(each.model),
        "sha256": each.sha256 or None,
        "served_sha256": each.health.get("sha256"),
        "current": each.current,
    }


def _row(each: ServiceStatus) -> list[str]:
    served = each.health.get("sha256", "")[:12] or "–"
    stale = "another file stands there now: restart" if each.current is False else ""
    return [
        each.name,
        each.state,
        f"{each.host}:{each.port}",
        str(each.pid or "–"),
        _duration(each.uptime_seconds) if each.pid else "–",
        str(each.exits),
        served,
        "; ".join(words for words in (stale, each.note) if words),
    ]


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
