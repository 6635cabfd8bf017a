"""Both logs of a run: `events.jsonl` for programs, `training.log` for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from lvm.clock import Clock
from lvm.errors import DiskError
from lvm.events import AlertAcknowledged, AlertRaised, Event
from lvm.files import disk_errors
from lvm.records import Record, decode
from lvm.runs.eventlog import EventWriter
from lvm.runs.folder import RunFolder
from lvm.runs.latch import Latch
from lvm.runs.logformat import format_event

_ALERT = b'"type":"alert_'
"""What the line of an alert_raised or alert_acknowledged has in it."""


class RunLog:
    """Writes the logs of one run; opening continues those that are there. Raises what EventWriter
    raises, and DiskError."""

    def __init__(self, folder: RunFolder, clock: Clock, *, shown_as: str = "") -> None:
        self._folder, self._shown_as = folder, shown_as
        try:
            self._text = folder.log.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise DiskError(
                f"cannot open: {error.strerror}",
                where=str(folder.log),
                fix="the folder must be there and writable by this user",
            ) from error
        try:
            self._events = EventWriter(folder.events, clock)
        except BaseException:
            self._text.close()
            raise

    def append(self, event: Event) -> Record:
        """The event first: what a dashboard shows must not depend on the log for people."""
        record = self._events.append(event)
        text = format_event(record, folder=self._shown_as)
        if text is not None:
            self.note(text)
        return record

    @property
    def next_seq(self) -> int:
        return self._events.next_seq

    def note(self, text: str) -> None:
        """A line for people that is no event, such as the traceback of an error."""
        with disk_errors(self._folder.log):
            self._text.write(text + "\n")
            self._text.flush()

    def acknowledge(self, alert: str, by: str) -> list[Record]:
        """Acknowledge one open alert of the run, by any of its raisings, or every one if `alert` is
        ""; what is not open stays as it is."""
        wanted = Latch(_alerts(self._folder.events)).firsts(alert)
        return [self.append(AlertAcknowledged(each, by)) for each in wanted]

    def close(self) -> None:
        self._events.close()
        with disk_errors(self._folder.log):
            self._text.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def count_bias_alerts(events: Path) -> int:
    """Backward-bias alerts in a log that keep its run from production, acknowledged or not."""
    found = {
        event.alert
        for event in _alerts(events)
        if isinstance(event, AlertRaised)
        and event.cause == "backward_bias"
        and event.level in ("severe", "alarm")
    }
    return len(found)


def _alerts(events: Path) -> Iterator[Event]:
    """Every alert_raised and alert_acknowledged of a log."""
    with events.open("rb") as file:
        for line in file:
            if _ALERT not in line:  # parsing the whole of a long log would hold up the trainer
                continue
            try:
                record = decode(line.decode(errors="replace"))
            except ValueError:
                continue
            if record is not None:
                yield record.event
