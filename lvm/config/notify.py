"""`[notify]`: who is told when a run ends or an alarm is raised, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from lvm.errors import SettingsError

Words = Literal["none", "bell", "osc9", "osc777"]
"""What a terminal is sent: nothing, its bell, or a desktop notification (iTerm2, WezTerm, Windows
Terminal, ConEmu: 9; rxvt, foot, Ghostty, kitty: 777)."""

Level = Literal["severe", "alarm", "caution", "notice"]

OCCASIONS = ("run", "queue", "alert")

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

LONGEST = 300.0
"""Seconds that a command or a web server may take at most."""


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Words pushed to where a person is. Nothing here ever holds the training up."""

    terminal: Words = "bell"
    """Sent by each dashboard, and each `lvm train` and `lvm queue run`, to its own terminal."""
    command: str = ""
    """For the shell, run by the process that trains; see LVM_… in docs/usage.md."""
    webhook: str = ""
    """An address that the process that trains POSTs JSON to. May be a secret: it is never shown."""
    webhook_token: str = ""
    """Name of the environment variable with a bearer token, or ""."""
    on: tuple[str, ...] = OCCASIONS
    """run: a run ended. queue: the queue ran empty. alert: one was raised."""
    level: Level = "alarm"
    """The mildest alert that is told of."""
    timeout_seconds: float = 10.0
    """For the command and for the webhook."""

    def __post_init__(self) -> None:
        for name in ("command", "webhook", "webhook_token"):
            if not isinstance(getattr(self, name), str):
                raise SettingsError(f"{name} is not a text", fix=f"{name} must be a text")
        self._one_of("terminal", get_args(Words))
        self._one_of("level", get_args(Level))
        if isinstance(self.on, list):
            object.__setattr__(self, "on", tuple(self.on))
        known = isinstance(self.on, tuple) and all(word in OCCASIONS for word in self.on)
        if not known:
            raise SettingsError(
                f"on = {self.on!r}", fix=f"on is a list of some of: {', '.join(OCCASIONS)}"
            )
        if self.webhook and not _is_address(self.webhook):
            raise SettingsError(
                "webhook is no address",  # not quoted: it may hold a secret
                fix="it begins with http:// or https:// and names a host",
            )
        if self.webhook_token and not _VARIABLE.fullmatch(self.webhook_token):
            raise SettingsError(
                "webhook_token is no name of an environment variable",
                fix="give the variable's name, LVM_WEBHOOK_TOKEN for instance, not the token",
            )
        seconds = self.timeout_seconds
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not (number and 0 < seconds <= LONGEST):
            raise SettingsError(
                f"timeout_seconds = {seconds!r}", fix=f"a number above 0, at most {LONGEST:g}"
            )

    def _one_of(self, name: str, known: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if value not in known:
            raise SettingsError(f"{name} = {value!r}", fix=f"{name} is one of {', '.join(known)}")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
