"""Services under a supervisord of the project's own.

A service that is meant to run is a program of its configuration; stopping it takes it out again, so
that its socket closes. The first start starts supervisord, the last stop ends it.
"""

from __future__ import annotations

import os
import socket
import time
import xmlrpc.client
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psutil

from lvm.clock import Clock
from lvm.config import ServicesSettings
from lvm.errors import ServiceError
from lvm.service.status import Process, ProcessState
from lvm.service.supervisord import (
    Home,
    Program,
    call,
    command_of,
    is_alive,
    launch,
    write_config,
)

_STATES: dict[str, ProcessState] = {
    "STOPPED": "stopped",
    "STARTING": "starting",
    "RUNNING": "running",
    "BACKOFF": "retrying",
    "EXITED": "retrying",  # for a moment: it is started again
    "STOPPING": "stopping",
    "FATAL": "failed",
}

ORPHAN_SECONDS = 10.0
"""That a service whose supervisord was killed may take to drain, before it is killed as well."""
LAUNCH_SECONDS = 10.0


class Supervisor:
    """Implements `Control`. Any number of them, in any process, may work on one project."""

    def __init__(self, root: Path, services: ServicesSettings, clock: Clock) -> None:
        self.home = Home(root.resolve())
        self._services, self._clock = services, clock

    # ------------------------------------------------------------------ start, stop

    def start(self, names: Sequence[str]) -> None:
        with self.home.locked():
            self._run(names)

    def restart(self, names: Sequence[str]) -> None:
        with self.home.locked():
            alive = is_alive(self.home)
            known = self._programs() if alive else []
            for name in names:
                if name in known:
                    self._end(name)
            self._run(names)

    def _run(self, names: Sequence[str]) -> None:
        """Make them programs and start those that do not run."""
        if not is_alive(self.home):
            self._launch(names)
        else:
            self._change({*self._programs(), *names})
        call(self.home, "lvm.hold")
        for name in names:
            self._ask("supervisor.startProcess", name, False, but="ALREADY_STARTED")

    def _launch(self, names: Iterable[str]) -> None:
        self._end_orphans()
        for name in names:
            self._require_free(name)
        write_config(self.home, self._wanted(names))
        launch(self.home)
        deadline = self._clock.monotonic() + LAUNCH_SECONDS
        while not is_alive(self.home):
            if self._clock.monotonic() > deadline:
                raise ServiceError(
                    f"supervisord does not answer within {LAUNCH_SECONDS:g} s",
                    where=str(self.home.socket),
                    fix=f"see {self.home.log('supervisord')}",
                )
            self._clock.sleep(0.05)

    def _change(self, names: set[str]) -> None:
        """Make `names` the programs; those that stay as they are keep their sockets."""
        before = set(self._programs())
        for name in names - before:
            self._require_free(name)
        write_config(self.home, self._wanted(names))
        _, changed, _ = call(self.home, "supervisor.reloadConfig")[0]
        for name in (before - names) | set(changed):
            self._end(name)
            call(self.home, "lvm.release", name)
            self._ask("supervisor.removeProcessGroup", name)
        for name in changed:  # another port: free now, if it was its own
            self._require_free(name)
        for name in (names - before) | set(changed):
            self._ask("supervisor.addProcessGroup", name)
        call(self.home, "lvm.hold")
        for name in changed:
            self._ask("supervisor.startProcess", name, False)

    def _wanted(self, names: Iterable[str]) -> list[Program]:
        chosen = set(names)
        return [
            Program(name, self._services.host, service.port)
            for name, service in self._services.enabled.items()
            if name in chosen
        ]

    def stop(self, names: Sequence[str]) -> None:
        with self.home.locked():
            if not is_alive(self.home):
                self._end_orphans()
                return
            programs = self._programs()
            for name in names:
                if name in programs:
                    self._end(name)
            left = [name for name in programs if name not in names]
            if left:
                self._change(set(left))
            else:
                call(self.home, "supervisor.shutdown")
                while self.home.socket.exists():
                    self._clock.sleep(0.05)

    def _end(self, name: str) -> None:
        """Returns when the process has drained and ended."""
        self._ask("supervisor.stopProcess", name, True, but="NOT_RUNNING")

    def _programs(self) -> list[str]:
        return [info["name"] for info in call(self.home, "supervisor.getAllProcessInfo")]

    def _ask(self, method: str, *arguments: Any, but: str = "") -> None:
        """A call; a fault named `but` is no fault here."""
        try:
            call(self.home, method, *arguments)
        except xmlrpc.client.Fault as fault:
            if not (but and but in fault.faultString):
                raise ServiceError(
                    f"supervisord refuses {method.partition('.')[2]}: {fault.faultString}",
                    where=str(self.home.config),
                    fix=f"see {self.home.log('supervisord')}",
                ) from fault

    # ------------------------------------------------------------------ ports, orphans

    def _require_free(self, name: str) -> None:
        """Raises ServiceError with who has the port, where the system tells."""
        host, port = self._services.host, self._services.service(name).port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            socket.create_server((host, port), family=family).close()
        except OSError as error:
            raise ServiceError(
                f"port {port} of service {name} cannot be had: {os.strerror(error.errno or 0)}"
                + _holder(port),
                where=f"{host}:{port}",
                fix=f"stop what listens there, or set another port in [services.{name}]",
            ) from error

    def _end_orphans(self) -> None:
        """A supervisord that was killed leaves its services behind, and their sockets with them."""
        orphans = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in orphans:
            process.terminate()
        for process in psutil.wait_procs(orphans, ORPHAN_SECONDS)[1]:
            process.kill()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            command = process.cmdline()
            mine = process.uids().real == os.getuid()
        except psutil.Error:
            return False
        names = self._services.named
        return mine and any(command == command_of(self.home.root, name) for name in names)

    # ------------------------------------------------------------------ what is seen

    def processes(self, names: Sequence[str]) -> dict[str, Process]:
        stopped = dict.fromkeys(names, Process("stopped"))
        if not self.home.socket.exists():
            return stopped
        try:
            found = call(self.home, "supervisor.getAllProcessInfo")
            exits = call(self.home, "lvm.exits")
        except ServiceError:
            return stopped
        now = time.time()
        known = {info["name"]: _process(info, exits, now) for info in found}
        return {name: known.get(name, Process("stopped")) for name in names}

    def logs(self, name: str, lines: int) -> list[str]:
        try:
            with self.home.log(name).open(encoding="utf-8", errors="replace") as file:
                file.seek(max(0, self.home.log(name).stat().st_size - 200 * lines - 4096))
                return file.read().splitlines()[-lines:]
        except FileNotFoundError:
            return []


def _process(info: dict[str, Any], exits: dict[str, int], now: float) -> Process:
    state = _STATES.get(info["statename"], "failed")
    alive = state in ("starting", "running", "stopping")
    note = info["spawnerr"] or ("" if alive else info["description"])
    if state == "failed":
        note = f"given up: {note or 'it ended again and again'}"
    return Process(
        state=state,
        pid=int(info["pid"]),
        uptime_seconds=max(now - info["start"], 0.0) if alive else 0.0,
        exits=int(exits.get(info["name"], 0)),
        note=note,
    )


def _holder(port: int) -> str:
    """ ", held by pid … (…)" where that can be seen."""
    try:
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr[1] == port:
                name = psutil.Process(each.pid).name() if each.pid else "?"
                return f", held by pid {each.pid} ({name})"
    except psutil.Error:
        pass
    return ""
