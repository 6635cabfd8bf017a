"""What happens when the terminal goes away: the screen is dropped, the work goes on.

A hung-up terminal gives end-of-file to whoever reads and an error to whoever writes; untreated,
Textual's input thread would spin on the first and its output queue would block on the second.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App


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
    """A terminal's file whose writes do nothing once it is hung up."""

    def __init__(self, file: IO[str], on_lost: Callable[[], None]) -> None:
        self._file = file
        self._on_lost = on_lost

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            self._on_lost()
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._on_lost()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class LastingDriver(LinuxDriver):
    """Textual's driver for Linux and macOS, surviving a hung-up terminal."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._lost = False
        self._file = ForgivingFile(sys.__stderr__, self._lose)  # type: ignore[assignment,arg-type]

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:
            self._lose()

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            from lvm_tui.messages import TerminalLost

            self._app.post_message(TerminalLost())
