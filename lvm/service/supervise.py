"""Services under a supervisord of the project's own.

A service that is meant to run is a program of its configuration; stopping it takes it out again, so
that its socket closes. The first start starts supervisord, the last stop ends it.

A program has two slots on one socket. One is in use; a restart starts the new process in the other,
and ends the old one when the new one answers.
"""

from __future__ import annotations

import contextlib
import time
import xmlrpc.client
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from lvm.clock import Clock
from lvm.config import ServicesSettings
from lvm.errors import ServiceError
from lvm.service.ports import end_orphans, orphans, require_free
from lvm.service.status import Process, Wait
from lvm.service.supervisord import (
    DRAIN_SECONDS,
    SLOTS,
    Home,
    NotRunning,
    Program,
    ShuttingDown,
    call,
    is_alive,
    launch,
    state,
    write_config,
)
from lvm.service.watching import Slot, last_exits, process_of, slot_of

LAUNCH_SECONDS = 10.0
SHUTDOWN_SECONDS = 10.0
"""Without the time that services may take to drain."""

Slots = Mapping[str, list[Slot]]
"""Service → its slots, in order."""


class Supervisor:
    """Implements `Control`. Any number of them, in any process, may work on one project."""

    def __init__(self, root: Path, services: ServicesSettings, clock: Clock) -> None:
        self.home = Home(root.resolve())
        self._services, self._clock = services, clock

    # ------------------------------------------------------------------ start, restart

    def start(self, names: Sequence[str]) -> None:
        with self.home.locked():
            self._provide(names)
            slots = self._slots()
            for name in names:
                if not any(slot.alive for slot in slots[name]):
                    self._begin(slots[name][0])

    def restart(self, names: Sequence[str], wait: Wait) -> None:
        with self.home.locked():
            self._provide(names)
            for name in names:
                self._replace(name, wait)

    def _replace(self, name: str, wait: Wait) -> None:
        """The new process beside the old one; whatever goes wrong, one that served goes on."""
        slots = self._slots()[name]
        serving = sorted((slot for slot in slots if slot.alive), key=lambda slot: slot.began)
        for slot in slots:
            if slot.state == "retrying":
                self._end(slot)
        if len(serving) == len(slots):  # a restart was killed
            self._end(serving.pop(0))
        new = next(slot for slot in slots if slot not in serving)
        self._begin(new)
        try:
            wait(name, lambda: self._process(name, new))
        except BaseException as error:
            if not serving:
                raise
            self._end(new)
            if isinstance(error, ServiceError):
                before = f"pid {serving[-1].pid} goes on with the model that it has"
                fix = f"{before}; {error.fix}"
                raise ServiceError(error.what, where=error.where, fix=fix) from error
            raise
        for slot in serving:
            self._end(slot)

    def _process(self, name: str, slot: Slot) -> Process:
        now = self._slots()[name][slot.number]
        return process_of(
            [now], last_exit="" if now.alive else last_exits(self.home.log).get(name, "")
        )

    def _provide(self, names: Sequence[str]) -> None:
        """Make them programs, with sockets that are held."""
        self._let_it_end()
        if not is_alive(self.home):
            self._launch(names)
        else:
            self._change({*self._slots(), *names})
        held = call(self.home, "lvm.held")
        slots = self._slots()
        for name in names:
            if name not in held and not any(slot.alive for slot in slots[name]):
                self._require_free(name)  # it was given up, and its port with it
            call(self.home, "lvm.hold", name)

    def _let_it_end(self) -> None:
        """A supervisord that shuts down would refuse everything."""
        deadline = self._clock.monotonic() + DRAIN_SECONDS + SHUTDOWN_SECONDS
        while state(self.home) == "SHUTDOWN" and self._clock.monotonic() < deadline:
            self._clock.sleep(0.1)

    def _launch(self, names: Iterable[str]) -> None:
        end_orphans(self.home)
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
                    fix=f"see {self.home.log}",
                )
            self._clock.sleep(0.05)

    def _change(self, names: set[str]) -> None:
        """Make `names` the programs; those that stay as they are keep their sockets."""
        slots = self._slots()
        before = set(slots)
        wanted = self._wanted(names)
        names = {program.name for program in wanted}  # lvm.toml may have lost some
        for name in names - before:
            self._require_free(name)
        write_config(self.home, wanted)
        _, changed, _ = call(self.home, "supervisor.reloadConfig")[0]
        for name in (before - names) | set(changed):
            self._end_all(name)
            call(self.home, "lvm.release", name)
            self._ask("supervisor.removeProcessGroup", name)
        for name in changed:  # another port: free now, if it was its own
            self._require_free(name)
        for name in (names - before) | set(changed):
            self._ask("supervisor.addProcessGroup", name)
        for name in changed:
            call(self.home, "lvm.hold", name)
            if any(slot.alive for slot in slots[name]):
                self._begin(slots[name][0])

    def _wanted(self, names: Iterable[str]) -> list[Program]:
        chosen = set(names)
        return [
            Program(name, self._services.host, service.port)
            for name, service in self._services.enabled.items()
            if name in chosen
        ]

    def _require_free(self, name: str) -> None:
        require_free(name, self._services.host, self._services.service(name).port)

    # ------------------------------------------------------------------ stop

    def stop(self, names: Sequence[str]) -> None:
        with self.home.locked():
            if not is_alive(self.home):
                self._let_it_end()
                end_orphans(self.home, names)
                return
            slots = self._slots()
            for name in names:
                if name in slots:
                    self._end_all(name)
            left = {name for name in slots if name not in names} & set(self._services.enabled)
            if left:
                self._change(left)
            else:
                self._shut_down()

    def _shut_down(self) -> None:
        """Returns when the process is gone: its sockets outlive its answer for a moment."""
        pid = call(self.home, "supervisor.getPID")
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            call(self.home, "supervisor.shutdown")
            try:
                process.wait(DRAIN_SECONDS + SHUTDOWN_SECONDS)
            except psutil.TimeoutExpired as error:
                raise ServiceError(
                    f"supervisord (pid {pid}) does not end",
                    where=str(self.home.socket),
                    fix=f"see {self.home.log}; kill -9 {pid} ends it",
                ) from error

    # ------------------------------------------------------------------ one slot

    def _begin(self, slot: Slot) -> None:
        self._ask("supervisor.startProcess", slot.address, False, but="ALREADY_STARTED")

    def _end(self, slot: Slot) -> None:
        """Returns when the process has drained and ended."""
        self._ask("supervisor.stopProcess", slot.address, True, but="NOT_RUNNING")

    def _end_all(self, name: str) -> None:
        self._ask("supervisor.stopProcessGroup", name, True)

    def _slots(self) -> Slots:
        found: dict[str, list[Slot]] = defaultdict(list)
        for info in call(self.home, "supervisor.getAllProcessInfo"):
            found[info["group"]].append(slot_of(info))
        return {name: sorted(slots, key=lambda slot: slot.number) for name, slots in found.items()}

    def _ask(self, method: str, *arguments: Any, but: str = "") -> None:
        """A call that may wait for a drain; a fault named `but` is no fault here."""
        try:
            call(self.home, method, *arguments, seconds=DRAIN_SECONDS + SHUTDOWN_SECONDS)
        except xmlrpc.client.Fault as fault:
            if not (but and but in fault.faultString):
                raise ServiceError(
                    f"supervisord refuses {method.partition('.')[2]}: {fault.faultString}",
                    where=str(self.home.config),
                    fix=f"see {self.home.log}",
                ) from fault

    # ------------------------------------------------------------------ what is seen

    def processes(self, names: Sequence[str]) -> dict[str, Process]:
        stopped = dict.fromkeys(names, Process("stopped"))
        if not self.home.socket.exists():
            return stopped
        try:
            slots = self._slots()
            exits = call(self.home, "lvm.exits")
        except ShuttingDown as error:
            return dict.fromkeys(names, Process("stopping", note=error.what))
        except NotRunning:
            return stopped | self._left_behind(names)
        why = last_exits(self.home.log) if exits else {}
        return stopped | {
            name: process_of(slots[name], int(exits.get(name, 0)), why.get(name, ""), time.time())
            for name in names
            if name in slots
        }

    def _left_behind(self, names: Sequence[str]) -> dict[str, Process]:
        note = "its supervisord was killed: lvm services start takes it over"
        return {
            name: Process("running", process.pid, time.time() - process.create_time(), note=note)
            for name, process in orphans(self.home)
            if name in names
        }

    def logs(self, name: str, lines: int) -> list[str]:
        """Of both slots, that of the one which said something last at the end."""
        files = [self.home.service_log(name, number) for number in SLOTS]
        present = sorted((f for f in files if f.exists()), key=lambda f: f.stat().st_mtime_ns)
        return [line for file in present for line in _tail(file, lines)][-lines:]


def _tail(path: Path, lines: int) -> list[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(max(0, path.stat().st_size - 200 * lines - 4096))
        return file.read().splitlines()[-lines:]
