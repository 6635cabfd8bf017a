"""`events.jsonl`: the append-only log of a run or of the workspace, its one writer, its readers.

A line is an event (lvm/events.py). What a crash leaves of an unfinished last line is ignored by
readers and cut off by the next writer, which goes on counting where the last whole line stopped.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from lvm.clock import Clock
from lvm.errors import DiskError, RunError
from lvm.events import Batch, Event, FivecatProgress, TaskProgress
from lvm.files import disk_errors, sync_folder
from lvm.records import Record, encode
from lvm.runs.decoding import Batches, decode_in_bulk, decode_records, document_of
from lvm.runs.tail import lines_backwards

_PASSING = (Batch, FivecatProgress, TaskProgress)
"""Progress, ten a second: flushed, but not worth an fsync each. The next event syncs them too."""

_BLOCK = 1 << 19
"""Bytes that a reader takes at a time: what is made of them still fits into a core's cache."""


class EventWriter:
    """Appends events to one log. The lease sees to it that there is one writer (lease.py).

    Opening cuts off a torn last line and finds the last `seq` from the end of the file. Raises
    DiskError if it cannot be opened, RunError if it holds lines but not a single event.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._torn = False
        is_new = not path.exists()
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise DiskError(
                f"cannot open: {error.strerror}",
                where=str(path),
                fix="the folder must be there and writable by this user",
            ) from error
        try:
            with disk_errors(path):
                self.next_seq, self._end = self._recover()
                if is_new:
                    sync_folder(path.parent)
        except BaseException:
            self.close()
            raise

    def _recover(self) -> tuple[int, int]:
        """The next `seq` and the length of the log, after a torn last line was cut off."""
        size = os.fstat(self._descriptor).st_size
        end = size
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            for offset, line in lines_backwards(file):
                if not line.endswith(b"\n"):
                    end = offset
                elif (seq := _seq_of(line)) is not None:
                    self._cut(size, end)
                    return seq + 1, end
        if end > 0:
            raise RunError(
                "not an event log: none of its lines is an event",
                where=str(self.path),
                fix="move it away; a new one is begun",
            )
        self._cut(size, end)
        return 0, 0

    def _cut(self, size: int, end: int) -> None:
        if end < size:
            os.ftruncate(self._descriptor, end)

    def append(self, event: Event) -> Record:
        """Stamp the event and write its line in one piece; on disk when this returns, progress
        excepted. Raises DiskError, and the log is as it was before."""
        record = Record(self.next_seq, self._clock.now(), event)
        line = (encode(record) + "\n").encode()
        try:
            if self._torn:
                self._undo()
            rest = memoryview(line)
            while rest:  # a second turn only where the disk is full: it tells the reason
                rest = rest[os.write(self._descriptor, rest) :]
            if not isinstance(event, _PASSING):
                os.fsync(self._descriptor)
        except OSError as error:
            self._torn = True
            with contextlib.suppress(OSError):  # tried again before the next line
                self._undo()
            raise DiskError(
                f"cannot write: {error.strerror}",
                where=str(self.path),
                fix="free some space, then resume; what was written before is whole",
            ) from error
        self._end += len(line)
        self.next_seq += 1
        return record

    def _undo(self) -> None:
        """Cut off what an append that failed may have left."""
        if os.fstat(self._descriptor).st_size > self._end:
            os.ftruncate(self._descriptor, self._end)
        self._torn = False

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class EventReader:
    """Follows a log that may not be there yet, grows, ends in a torn line, or is replaced.

    The file is opened anew at each poll, which is also what makes a shared disk show new lines.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bad_lines = 0
        """Whole lines seen so far that are no events."""
        self.restarts = 0
        """How often the file shrank or was replaced. When this rises, the records of that poll
        begin anew: forget all those before."""
        self.at_end = False
        """Whether the last poll took all that was there."""
        self._offset = 0
        self._last_line = b""
        self._identity: tuple[int, int] | None = None
        self._ready: list[Record] = []

    def poll(self, max_records: int | None = None) -> list[Record]:
        """What was appended since the last poll, oldest first, at most `max_records`.

        Types that this version does not know are skipped, lines that are no events counted.
        Raises OSError only when the file is there but cannot be read.
        """
        self.at_end = False
        try:
            with self.path.open("rb") as file:
                self._check(file)
                while max_records is None or len(self._ready) < max_records:
                    block = self._whole_lines(file)
                    if not block:
                        break
                    records, bad = decode_records(block)
                    self._ready += records
                    self.bad_lines += bad
        except FileNotFoundError:
            self.at_end = True
        count = len(self._ready) if max_records is None else max_records
        taken, self._ready = self._ready[:count], self._ready[count:]
        self.at_end = self.at_end and not self._ready
        return taken

    def poll_in_bulk(self, *, batches: bool = True) -> list[Record | Batches]:
        """The next piece of what was appended, about half a megabyte, batches in bulk: for whoever
        reads a long log. Nothing may be in it before `at_end` is true.

        batches: False leaves them out. Raises as `poll`.
        """
        items: list[Record | Batches] = []
        try:
            with self.path.open("rb") as file:
                self._check(file)
                decoded = decode_in_bulk(self._whole_lines(file), batches=batches)
                self.bad_lines += decoded.bad
                items += decoded.items
        except FileNotFoundError:
            self.at_end = True
        before, self._ready = self._ready, []
        return [*before, *items]

    def _check(self, file: BinaryIO) -> None:
        """Begin anew if it is not the log that was read before."""
        found = os.fstat(file.fileno())
        identity = (found.st_dev, found.st_ino)
        if self._identity not in (None, identity) or not self._still_has_last_line(file):
            self._restart()
        self._identity = identity

    def _still_has_last_line(self, file: BinaryIO) -> bool:
        file.seek(self._offset - len(self._last_line))
        return file.read(len(self._last_line)) == self._last_line

    def _restart(self) -> None:
        self.restarts += 1
        self.bad_lines = 0
        self._offset, self._last_line = 0, b""
        self._ready = []

    def _whole_lines(self, file: BinaryIO) -> bytes:
        """The next lines, a block of them or one that is longer; empty at the end."""
        file.seek(self._offset)
        block = more = file.read(_BLOCK)
        while not (end := block.rfind(b"\n") + 1) and more:
            more = file.read(_BLOCK)
            block += more
        self.at_end = len(more) < _BLOCK
        whole = block[:end]
        if whole:
            self._offset += end
            self._last_line = whole[whole.rfind(b"\n", 0, -1) + 1 :]
        return whole


def read_events(path: Path) -> list[Record]:
    """All records of a log; empty if there is none."""
    return EventReader(path).poll()


def _seq_of(line: bytes) -> int | None:
    document = document_of(line)
    if isinstance(document, dict) and "type" in document and type(document.get("seq")) is int:
        return int(document["seq"])
    return None
