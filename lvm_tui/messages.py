"""Every message of the app, as small dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from lvm.errors import LvmError
from lvm_tui.machine import Gauges


@dataclass
class Problem(Message):
    """Something failed, wherever it ran; shown as a modal."""

    title: str
    what: str
    where: str = ""
    fix: str = ""

    @classmethod
    def of(cls, title: str, error: BaseException, where: str = "") -> Problem:
        """where: where details are, for an error that does not say it itself."""
        if isinstance(error, LvmError):
            return cls(title, error.what, error.where or where, error.fix)
        return cls(title, f"{type(error).__name__}: {error}", where)


@dataclass
class Exported(Message):
    """Files were written."""

    folder: str
    names: tuple[str, ...]


@dataclass
class TerminalLost(Message):
    """The terminal is gone; the screen is dropped, the training goes on."""


@dataclass
class SlowLine(Message):
    """The terminal takes long to swallow a picture."""


@dataclass
class LineFree(Message):
    """The terminal reads again, after pictures were left out."""


@dataclass
class Terminate(Message):
    """SIGTERM: stop after a checkpoint and exit."""


@dataclass
class Interrupt(Message):
    """SIGINT from outside: as the key that leaves."""


@dataclass
class Gauged(Message):
    """The machine's gauges were read; None while nothing trains on it."""

    gauges: Gauges | None
