"""Work of a job before its training, told in the workspace log from its beginning to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lvm.clock import Clock
from lvm.errors import LvmError
from lvm.events import Event, TaskFinished, TaskProgress, TaskStarted
from lvm.runs.steering import Steering

PROGRESS_INTERVAL = 0.1
"""Seconds between two progress events."""


class Ended(Exception):
    """People ended the job before its training began."""


class Task:
    """One piece of such work; `ok` and `note` are what is told of its end."""

    def __init__(
        self, name: str, tell: Callable[[Event], object], steering: Steering, clock: Clock
    ) -> None:
        self._name, self._tell, self._steering, self._clock = name, tell, steering, clock
        self.begun = self._told = clock.monotonic()
        self.ok, self.note = False, "ended by the user"

    def progress(self, what: str, done: int, total: int) -> None:
        """Raises Ended."""
        if self._steering.must_end:
            raise Ended
        now = self._clock.monotonic()
        if now - self._told >= PROGRESS_INTERVAL:
            self._told = now
            self._tell(TaskProgress(self._name, done, total, what))


@contextmanager
def task(
    name: str, title: str, *, tell: Callable[[Event], object], steering: Steering, clock: Clock
) -> Iterator[Task]:
    """Tells of the work within, whatever comes of it. Raises what that raises."""
    work = Task(name, tell, steering, clock)
    tell(TaskStarted(name, title))
    try:
        yield work
    except LvmError as error:
        work.note = str(error)
        raise
    finally:
        seconds = clock.monotonic() - work.begun
        tell(TaskFinished(name, seconds, ok=work.ok, note=work.note))
