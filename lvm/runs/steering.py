"""What people say while a runner works, turned into what the trainer is to do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Literal

from lvm.clock import Clock
from lvm.control import Action
from lvm.errors import LvmError
from lvm.runs.commands import Command
from lvm.runs.store import Store

POLL = 0.1
"""Seconds between two looks into the store; the trainer asks after every batch."""

Ending = Literal["stop", "skip", "cancel", "asked"]
"""Why the job at hand is to end. asked: the process is to end (SIGTERM), the job is not."""


class Steering:
    """Reads commands for the job at hand. Its `control` is what the trainer polls.

    check_lease: raises LeaseError when this runner is no longer the one. acknowledge: acts on that
    command, which is not the trainer's business. unreadable: told once when the store cannot be
    read; training goes on meanwhile.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        should_stop: threading.Event,
        check_lease: Callable[[], None],
        acknowledge: Callable[[Command], None],
        unreadable: Callable[[LvmError], None],
    ) -> None:
        self._store, self._clock = store, clock
        self._should_stop, self.check_lease = should_stop, check_lease
        self._acknowledge, self._unreadable = acknowledge, unreadable
        self._polled = float("-inf")
        self._blind = False
        self._actions: deque[Action] = deque()
        self.job: int | None = None
        """The job at hand; None between jobs."""
        self.ending: Ending | None = None
        self.said_by: dict[str, str] = {}
        """Command → who sent it last."""

    def begin(self, job: int) -> None:
        """What was said from here on is meant for this job."""
        self.job, self.ending = job, None
        self._actions.clear()
        self.said_by.clear()

    def end(self) -> None:
        """No job is at hand. A stop that came in its last moment still stops the queue."""
        self.job = None
        self._actions.clear()

    def forget_the_past(self) -> None:
        """Take what was said to an earlier runner: it is void, acknowledgements excepted."""
        for command in self._store.take_commands():
            if command.kind == "acknowledge":
                self._acknowledge(command)

    def control(self) -> Action | None:
        """The next thing that the trainer is to do, or None. Raises LeaseError."""
        self.check_lease()
        if self._should_stop.is_set():
            self.ending = self.ending or "asked"
            return "stop"
        self.look()
        return self._actions.popleft() if self._actions else None

    @property
    def must_end(self) -> bool:
        """Whether the work at hand, that is not yet training, is to end."""
        self.check_lease()
        self.look()
        if self._should_stop.is_set():
            self.ending = self.ending or "asked"
        return self.ending is not None

    def look(self, *, at_once: bool = False) -> None:
        """Take and obey new commands; at most ten times a second, unless `at_once`."""
        now = self._clock.monotonic()
        if now - self._polled < POLL and not at_once:
            return
        self._polled = now
        try:
            commands = self._store.take_commands()
        except LvmError as error:
            if not self._blind:
                self._blind = True
                self._unreadable(error)
            return
        self._blind = False
        for command in commands:
            self._obey(command)

    def _obey(self, command: Command) -> None:
        self.said_by[command.kind] = command.by
        meant = self.job is not None and command.job in (None, self.job)
        match command.kind:
            case "acknowledge":
                self._acknowledge(command)
            case "stop":  # the queue too, so it is never for another job
                self.ending = "stop"
                self._actions.append("stop")
            case "pause" | "resume" if meant:
                self._actions.append(command.kind)
            case "skip" if meant and self.ending != "stop":
                self.ending = "skip"
                self._actions.append("stop")
            case "cancel" if meant and self.ending != "stop":
                self.ending = "cancel"
                self._actions.append("cancel")
