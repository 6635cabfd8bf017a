"""Results to standard output, messages to standard error, colours only where they are wanted."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from lvm.cli.tables import lay_out
from lvm.errors import DiskError, LvmError

PROGRESS_INTERVAL = 0.1
"""Seconds between two lines of progress for another program."""

_COLOURS = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "bold": "1"}


class Output:
    """Where a command prints. `--json`: one document on standard output, nothing else there."""

    def __init__(
        self, *, as_json: bool, stream: TextIO, messages: TextIO, env: Mapping[str, str]
    ) -> None:
        self.as_json = as_json
        self._stream, self._messages = stream, messages
        self._plain = bool(env.get("NO_COLOR")) or env.get("TERM") == "dumb"
        self._documented = False
        self._bar_shown = False
        self._progress_lines = env.get("LVM_PROGRESS") == "lines"
        self._last_progress = 0.0

    def document(self, document: Any) -> None:
        """The one JSON document of `--json`."""
        self._documented = True
        self._print(_as_json(document, self._stream), self._stream)

    def line(self, text: str = "", style: str = "") -> None:
        """A line of the result; to standard error when standard output is for JSON."""
        self._clear_bar()
        stream = self._messages if self.as_json else self._stream
        self._print(self._styled(text, style, stream), stream)

    def lines(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.line(text)

    def message(self, text: str, style: str = "") -> None:
        """What is not the result: standard error."""
        self._clear_bar()
        print(self._styled(text, style, self._messages), file=self._messages, flush=True)

    def error(self, error: LvmError) -> None:
        """In words, and as the document of a command that has printed none yet."""
        self.message(f"lvm: {error}", "bad")
        if self.as_json and not self._documented:
            self.document({"error": error.to_json(), "exit": error.exit_code})

    def progress(self, what: str, done: int, total: int) -> None:
        """A bar that overwrites itself; nothing where messages are not a terminal, unless another
        program reads along: LVM_PROGRESS=lines gives one JSON list a line, ten a second."""
        if self._progress_lines:
            self._tell_progress(what, done, total)
            return
        if not self._messages.isatty():
            return
        share = min(done / total, 1.0) if total else 0.0
        full = int(share * 24)
        bar = "━" * full + "─" * (24 - full)
        width = shutil.get_terminal_size().columns
        text = f"{bar} {share:4.0%}  {what}"
        self._messages.write("\r\x1b[K" + text[: width - 1])
        self._messages.flush()
        self._bar_shown = True
        if total and done >= total:
            self._clear_bar()

    def attention(self, sequence: str) -> None:
        """A bell or an escape sequence for whoever looks elsewhere; nothing into a file."""
        if sequence and self._messages.isatty():
            self._messages.write(sequence)
            self._messages.flush()

    def _tell_progress(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last_progress >= PROGRESS_INTERVAL:
            self._last_progress = now
            print(json.dumps(["progress", what, done, total]), file=self._messages, flush=True)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns as wide as their content; numbers are the caller's to format. On a terminal,
        what finds no room beside the rest stands beneath its row."""
        stream = self._messages if self.as_json else self._stream
        width = shutil.get_terminal_size().columns if stream.isatty() else None
        for number, text in enumerate(lay_out(head, rows, width)):
            self.line(text, "bold" if number == 0 else "")

    def _print(self, text: str, stream: TextIO) -> None:
        """Raises DiskError where it goes to a file on a full disk."""
        try:
            print(text, file=stream, flush=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise DiskError(
                f"cannot be written: {error.strerror}",
                where="standard output",
                fix="free some space, or print elsewhere",
            ) from error

    def _clear_bar(self) -> None:
        if self._bar_shown:
            self._messages.write("\r\x1b[K")
            self._bar_shown = False

    def _styled(self, text: str, style: str, stream: TextIO) -> str:
        if not style or self._plain or not stream.isatty():
            return text
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"


def _as_json(document: Any, stream: TextIO) -> str:
    """As people read it, unless the stream cannot say a character of it (a file name that is no
    text, a locale without Unicode)."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(document, indent=2, allow_nan=False)
    return text
