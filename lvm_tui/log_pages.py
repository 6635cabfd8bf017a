"""The telling lines of an event log of any length: where each one is, not what it says.

Batches are millions and say nothing to a reader of the log; what is left is found by the head of
its line, kept as eight bytes of place and eight of time, and decoded when it is looked at.
"""

from __future__ import annotations

import os
import re
from array import array
from pathlib import Path
from typing import BinaryIO

from lvm.records import Record, decode
from lvm_tui.state.views import LogLine
from lvm_tui.state.wording import is_told, log_line

BLOCK = 1 << 20
"""Bytes that are looked through in one piece."""

_HEAD = re.compile(rb'\{"seq":\d+,"time":([-0-9.e+]+),"type":"(\w+)"')
_PASSING = (b"batch", b"fivecat_progress", b"task_progress")
_PERHAPS = (b"checkpoint_saved", b"queue_finished")
"""Types of which some are told and others not."""


class FilePages:
    """Implements `Pages` (state/logbook.py) on an events.jsonl."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.restarts = 0
        self._forget()

    def _forget(self) -> None:
        self._places, self._times, self._kinds = array("Q"), array("d"), array("B")
        self._names: list[str] = []
        self._offset = 0
        self._identity: tuple[int, int] | None = None

    def read(self) -> bool:
        try:
            with self.path.open("rb") as file:
                return self._read(file)
        except FileNotFoundError:
            return False

    def _read(self, file: BinaryIO) -> bool:
        found = os.fstat(file.fileno())
        identity = (found.st_dev, found.st_ino)
        if self._identity not in (None, identity) or found.st_size < self._offset:
            self.restarts += 1
            self._forget()
        self._identity = identity
        file.seek(self._offset)
        block = file.read(BLOCK)
        while block and b"\n" not in block and len(block) < found.st_size - self._offset:
            block += file.read(BLOCK)  # a line longer than a piece
        end = block.rfind(b"\n") + 1
        place = self._offset
        for line in block[:end].splitlines(keepends=True):
            self._look_at(line, place)
            place += len(line)
        self._offset += end
        return end > 0 and self._offset < found.st_size

    def _look_at(self, line: bytes, place: int) -> None:
        head = _HEAD.match(line)
        if head is None:
            record = _decoded(line)  # written by another hand, in another order
            if record is not None and is_told(record):
                self._add(place, record.time, record.event.kind())
            return
        name = head[2]
        if name in _PASSING:
            return
        if name in _PERHAPS:
            record = _decoded(line)
            if record is None or not is_told(record):
                return
        self._add(place, float(head[1]), name.decode())

    def _add(self, place: int, time: float, kind: str) -> None:
        if kind not in self._names:
            if len(self._names) == 256:
                return  # so many types are no log of ours
            self._names.append(kind)
        self._places.append(place)
        self._times.append(time)
        self._kinds.append(self._names.index(kind))

    def __len__(self) -> int:
        return len(self._places)

    def time(self, at: int) -> float:
        return self._times[at]

    def kind(self, at: int) -> str:
        return self._names[self._kinds[at]]

    def line(self, at: int) -> LogLine | None:
        try:
            with self.path.open("rb") as file:
                file.seek(self._places[at])
                record = _decoded(file.readline())
        except FileNotFoundError:
            return None
        return log_line(record) if record is not None else None


def _decoded(line: bytes) -> Record | None:
    try:
        return decode(line.decode(errors="replace"))
    except ValueError:
        return None
