"""Every message of the app, as small dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class EngineFailed(Message):
    """The runner ended with an error; posted from its thread."""

    what: str
    where: str
    fix: str


@dataclass
class TerminalLost(Message):
    """The terminal is gone; the screen is dropped, the training goes on."""
