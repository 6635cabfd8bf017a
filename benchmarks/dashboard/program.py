"""The real lvm-tui in a real pty: what it writes, with the time at which it came."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

READ = 1 << 16
SIP = 100
"""Bytes that a slow terminal reads at once."""
PATIENCE = 60.0
"""Seconds to wait for a state before the benchmark gives up."""

TOP = str(Path(__file__).parents[2])


class Program:
    """A module of this project, started in a terminal of `columns` × `rows`."""

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
    ) -> None:
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        environment |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": TOP}
        environment |= env or {}
        self.started = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(folder)
            os.execve(sys.executable, [sys.executable, "-m", *arguments], environment)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.written = 0
        """Bytes that came so far."""

    def take(self, seconds: float) -> list[tuple[float, bytes]]:
        """What comes within so many seconds, each piece with its time (perf_counter)."""
        end = time.perf_counter() + seconds
        pieces: list[tuple[float, bytes]] = []
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._terminal], [], [], left)[0]:
                try:
                    piece = os.read(self._terminal, READ)
                except OSError:  # the program has ended
                    return pieces
                pieces.append((time.perf_counter(), piece))
                self.written += len(piece)
        return pieces

    def look_slowly(self, seconds: float, rate: int, seen: Callable[[str], bool]) -> float | None:
        """Read and draw so many bytes a second; when the screen was first so, or None."""
        begun = time.perf_counter()
        found: float | None = None
        read = 0
        while (passed := time.perf_counter() - begun) < seconds:
            due = int(rate * passed) - read
            if due >= SIP and select.select([self._terminal], [], [], SIP / rate)[0]:
                piece = os.read(self._terminal, due)
                read += len(piece)
                self.written += len(piece)
                self.draw(piece)
                if found is None and seen(self.text):
                    found = time.perf_counter()
            else:
                read += max(due - SIP, 0)  # a line does not save up what it could have carried
                time.sleep(SIP / rate)
        return found

    def draw(self, piece: bytes) -> None:
        self._stream.feed(piece)

    @property
    def text(self) -> str:
        """What a person would see, of all that was drawn."""
        return "\n".join(self._screen.display)

    def press(self, key: str) -> float:
        """The time just before it was written."""
        at = time.perf_counter()
        os.write(self._terminal, key.encode())
        return at

    def when(self, reached: Callable[[str], bool], what: str) -> float:
        """Wait until the screen is so; the time at which the last piece of it had come."""
        end = time.perf_counter() + PATIENCE
        while time.perf_counter() < end:
            at = self.first(self.take(0.05), reached)
            if at is not None:
                return at
        raise SystemExit(f"no {what} after {PATIENCE:.0f} s; the screen:\n{self.text}")

    def first(
        self, pieces: list[tuple[float, bytes]], reached: Callable[[str], bool]
    ) -> float | None:
        """Draw what came; the time of the piece after which the screen was so, or None."""
        found = None
        for at, piece in pieces:
            self.draw(piece)
            if found is None and reached(self.text):
                found = at
        return found

    def wait_for(self, words: str) -> float:
        return self.when(lambda text: words in text, repr(words))

    def end(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        os.waitpid(self.pid, 0)
        os.close(self._terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
