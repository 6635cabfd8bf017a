"""The real program in a real pty, its screen kept by a terminal emulator."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pexpect
import pyte

DEADLINE = 45.0
"""Seconds to wait for a state before the test fails with the screen that was there instead."""


class Terminal:
    """A program started in a pty of its own; `screen` is what a person would see."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.written = b""
        """All that came so far."""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        environment = {**inherited, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})}
        self.process = pexpect.spawn(
            sys.executable,
            list(arguments),
            cwd=str(cwd),
            env=environment,
            dimensions=(rows, columns),
            timeout=DEADLINE,
        )

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def read(self, seconds: float = 0.05) -> None:
        """Take in what the program has written."""
        try:
            piece = self.process.read_nonblocking(1 << 16, timeout=seconds)
            self.written += piece
            self._stream.feed(piece)
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            pass

    def press(self, keys: str) -> None:
        self.process.send(keys)

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def wait_for(self, *words: str, seconds: float = DEADLINE) -> None:
        """Until all of `words` are on the screen."""
        self.wait_until(
            lambda: all(word in self.text for word in words), f"{words!r} on the screen", seconds
        )

    def wait_until(self, reached: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
        end = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > end:
                raise AssertionError(f"no {what} after {seconds:.0f} s; the screen:\n{self.text}")
            self.read()

    def wait_for_exit(self, seconds: float = DEADLINE) -> int:
        end = time.monotonic() + seconds
        while self.process.isalive():
            if time.monotonic() > end:
                raise AssertionError(f"still alive after {seconds:.0f} s; the screen:\n{self.text}")
            self.read()
        self.process.close()
        status: int = (
            self.process.exitstatus
            if self.process.exitstatus is not None
            else -self.process.signalstatus
        )
        return status

    def hang_up(self) -> None:
        """Close the terminal's window: the pty is gone and SIGHUP is sent."""
        os.close(self.process.child_fd)

    def wait_unseen(self) -> int:
        """The exit code of a program whose terminal was hung up; it ends by itself."""
        status: int = self.process.ptyproc.wait()
        return status

    def kill(self) -> None:
        if self.process.ptyproc.isalive():
            self.process.kill(9)
