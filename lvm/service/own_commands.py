"""Services that the site runs itself: systemd units, its old scripts. Each verb is a command."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lvm.config import ServicesSettings
from lvm.errors import ServiceError, SettingsError
from lvm.service.status import Process, Wait

_SHOWN = 400
"""Characters of what a command said that an error shows."""


class OwnCommands:
    """Implements `Control`: runs the commands of [services.NAME] in the project folder."""

    def __init__(self, root: Path, services: ServicesSettings) -> None:
        self._root, self._services = root, services

    def start(self, names: Sequence[str]) -> None:
        for name in names:
            self._require(name, "start")

    def stop(self, names: Sequence[str]) -> None:
        for name in names:
            self._require(name, "stop")

    def restart(self, names: Sequence[str], wait: Wait) -> None:
        for name in names:
            if self._services.service(name).restart:
                self._require(name, "restart")
            else:
                self._require(name, "stop")
                self._require(name, "start")
            wait(name, lambda name=name: self._process(name))  # type: ignore[misc]

    def processes(self, names: Sequence[str]) -> dict[str, Process]:
        return {name: self._process(name) for name in names}

    def _process(self, name: str) -> Process:
        if not self._services.service(name).status:
            return Process("running", note="no status command: /health tells")
        try:
            code, said = self._run(name, "status")
        except ServiceError as error:  # /health tells, and the others are still looked at
            return Process("running", note=error.what)
        note = said.strip().splitlines()[0][:_SHOWN] if said.strip() else ""
        return Process("running" if code == 0 else "stopped", note=note)

    def logs(self, name: str, lines: int) -> list[str]:
        if not self._services.service(name).logs:
            return []
        return self._run(name, "logs")[1].splitlines()[-lines:]

    def _require(self, name: str, verb: str) -> None:
        code, said = self._run(name, verb)
        if code != 0:
            raise ServiceError(
                f"the {verb} command of service {name} exits with {code}"
                + (f": {said.strip()[-_SHOWN:]}" if said.strip() else ""),
                where=self._command(name, verb),
                fix="run it by hand in the project folder to see what is wrong",
            )

    def _command(self, name: str, verb: str) -> str:
        command: str = getattr(self._services.service(name), verb)
        if not command:
            raise SettingsError(
                f"service {name} has no {verb} command",
                where=f"lvm.toml [services.{name}]",
                fix=f'give it one: {verb} = "systemctl --user {verb} lvm-{name}"',
            )
        return command

    def _run(self, name: str, verb: str) -> tuple[int, str]:
        """Exit code and what it said. Raises ServiceError when it takes too long."""
        command, limit = self._command(name, verb), self._services.command_seconds
        process = subprocess.Popen(
            command,
            shell=True,
            cwd=self._root,
            env=os.environ | {"LVM_SERVICE": name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise ServiceError(
                f"the {verb} command of service {name} takes longer than {limit:g} s",
                where=command,
                fix="command_seconds in [services] of lvm.toml sets the limit; a start command "
                "must return, and its service go on with its output elsewhere",
            ) from error
        return process.returncode, said
