"""The line to the terminal: written to without ever being held up by it for good.

A terminal may stop reading: Ctrl-S, a suspended ssh, a dropped network that nobody has noticed.
Whoever writes to it then waits, and with it everything that waits for the writer.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from typing import TextIO

PATIENCE = 1.0
"""Seconds without a byte read, after which a terminal is not waited for on the way out."""

_LOOK = 0.1
"""Seconds between two looks whether to wait any longer."""


def takes_words(descriptor: int = 1, seconds: float = PATIENCE) -> bool:
    """Whether something can be written within so many seconds without waiting."""
    return bool(select.select([], [descriptor], [], seconds)[1])


class Line:
    """Stands in for the file of a terminal. Raises OSError once it was hung up."""

    def __init__(
        self,
        descriptor: int,
        encoding: str = "utf-8",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """descriptor: of the terminal, not blocking; it is closed with this."""
        self._descriptor = descriptor
        self._encoding = encoding
        self._monotonic = monotonic
        self._hurries = False
        self._given_up = False

    @classmethod
    def to(cls, file: TextIO) -> Line | None:
        """A line of its own to the terminal behind `file`, whose own writes stay as they are; None
        where there is none."""
        try:
            flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK
            return cls(os.open(os.ttyname(file.fileno()), flags), file.encoding)
        except OSError:
            return None

    def write(self, text: str) -> int:
        """All of it, as soon as the terminal takes it."""
        rest = memoryview(text.encode(self._encoding, errors="replace"))
        moved = self._monotonic()
        while rest and not self._given_up:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
                moved = self._monotonic()
            except BlockingIOError:
                select.select([], [self._descriptor], [], _LOOK)
                stuck = self._monotonic() - moved > PATIENCE
                self._given_up = self._hurries and stuck
        return len(text)

    def flush(self) -> None:
        """`write` has done it."""

    def fileno(self) -> int:
        return self._descriptor

    def hurry(self) -> None:
        """From now on a terminal that does not read is given up."""
        self._hurries = True

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
