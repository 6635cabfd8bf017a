"""What happens when the terminal goes away: the screen is dropped, the work goes on.

A hung-up terminal gives end-of-file to whoever reads and an error to whoever writes; untreated,
Textual's input thread would spin on the first and its output queue would block on the second.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

from lvm_tui.line import Line
from lvm_tui.messages import LineFree, SlowLine, TerminalLost

if TYPE_CHECKING:
    from textual.app import App

SLOW = 0.1
"""Seconds to write one picture, from which on the line is slow: the bytes wait for the line."""

SLOW_IN_A_ROW = 5
"""So many slow pictures one after the other; a single hiccup is none."""


BACKLOG, BACKLOG_BYTES = 20, 32_000
"""Pictures, and characters in them, that may wait for a terminal: nobody on a slow line is to see
what was so a minute ago. Textual's own queue holds 30 pictures, then it holds up the app."""


def is_gone(descriptor: int = 0) -> bool:
    """Whether the terminal behind a file descriptor was hung up."""
    poll = select.poll()
    poll.register(descriptor, 0)
    hung_up = select.POLLHUP | select.POLLERR | select.POLLNVAL
    return any(events & hung_up for _, events in poll.poll(0))


def detach() -> None:
    """Put /dev/null in place of standard input, output and error: nothing can fail on them."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    if null > 2:
        os.close(null)


class ForgivingFile:
    """A terminal's file whose writes do nothing once it is hung up, and that notices slowness."""

    def __init__(
        self,
        file: IO[str],
        on_lost: Callable[[], None],
        on_slow: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
        on_written: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._on_written = on_written
        self._file = file
        self._on_lost = on_lost
        self._on_slow = on_slow
        self._monotonic = monotonic
        self._slow_in_a_row = 0

    def write(self, text: str) -> int:
        begun = self._monotonic()
        try:
            written = self._file.write(text)
            self._file.flush()
        except OSError:
            self._on_lost()
            return len(text)
        finally:
            self._on_written(len(text))
        self._slow_in_a_row = self._slow_in_a_row + 1 if self._monotonic() - begun > SLOW else 0
        if self._slow_in_a_row == SLOW_IN_A_ROW:
            self._on_slow()
        return written

    def flush(self) -> None:
        """`write` has done it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class LastingDriver(LinuxDriver):
    """Textual's driver for Linux and macOS, surviving a terminal that was hung up or does not read.

    Pictures that a stuck terminal would only get late are left out; when it reads again the app
    paints all anew.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._lost = False
        self._line = Line.to(sys.__stderr__) if sys.__stderr__ is not None else None
        self._sent = self._written = 0
        """Pictures."""
        self._sent_size = self._written_size = 0
        """Characters."""
        self._left_out = self._stops = False
        file = ForgivingFile(
            self._line or sys.__stderr__,  # type: ignore[arg-type]
            self._lose,
            self._slow,
            on_written=self._count,
        )
        self._file = file  # type: ignore[assignment]

    def write(self, data: str) -> None:
        if self._is_behind and not self._stops:
            self._left_out = True
            return
        self._sent += 1
        self._sent_size += len(data)
        super().write(data)

    @property
    def _is_behind(self) -> bool:
        size = self._sent_size - self._written_size
        return size >= BACKLOG_BYTES or self._sent - self._written >= BACKLOG

    def _count(self, size: int) -> None:
        """In the thread that writes."""
        self._written += 1
        self._written_size += size
        if self._left_out and self._sent == self._written:
            self._left_out = False
            self._app.post_message(LineFree())

    def stop_application_mode(self) -> None:
        self._stops = True
        if self._line is not None:
            self._line.hurry()
        super().stop_application_mode()

    def close(self) -> None:
        super().close()
        if self._line is not None:
            self._line.close()

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:
            self._lose()

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self._app.post_message(TerminalLost())

    def _slow(self) -> None:
        self._app.post_message(SlowLine())
