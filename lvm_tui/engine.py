"""The only place that starts work: the runner, in a thread of its own.

Not a Textual worker: those live in the app's event loop, and `App.run` cannot return before they
have ended. This thread outlives the app, so that training goes on when the screen is left or the
terminal dies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

Reason = Literal["empty", "stopped", "asked"]

RunQueue = Callable[[threading.Event], Reason]
"""Trains what is queued, until nothing is left or the event is set; says why it ended."""

IDLE = 0.2
"""Seconds between two looks whether a job was added."""


class Engine:
    """Works through the queue, then waits for more jobs as long as there is a screen."""

    def __init__(self, run_queue: RunQueue, has_jobs: Callable[[], bool]) -> None:
        """has_jobs: whether something is queued that nobody trains."""
        self._run_queue = run_queue
        self._has_jobs = has_jobs
        self._thread: threading.Thread | None = None
        self._on_error: Callable[[BaseException], None] | None = None
        self._stop = threading.Event()
        self._alone = threading.Event()
        self.working = False
        """It trains or prepares; else it is ended, or waits for jobs."""
        self.error: BaseException | None = None
        """What ended the work, if it was an error."""

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, on_error: Callable[[BaseException], None]) -> None:
        """Begin, or begin again after an end; `on_error` is called in the thread."""
        if self.working:
            return
        self.wait(None)
        self._stop.clear()
        self.error = None
        self.working = True
        self._on_error = on_error
        self._thread = threading.Thread(target=self._run, name="lvm-runner")
        self._thread.start()

    def stop(self) -> None:
        """End after a checkpoint; the job stays queued."""
        self._stop.set()

    def be_alone(self) -> None:
        """The screen is gone: nobody is told of an error, and an empty queue is the end."""
        self._on_error = None
        self._alone.set()

    def wait(self, seconds: float | None) -> bool:
        """Wait at most so long (None: as long as it takes to stop waiting for jobs); whether the
        thread has ended."""
        if self._thread is not None:
            if seconds is None:
                self._stop.set()
            self._thread.join(seconds)
        return not self.running

    def _run(self) -> None:
        try:
            while True:
                self.working = True
                why = self._run_queue(self._stop)
                self.working = False
                if why != "empty" or not self._wait_for_jobs():
                    return
        except BaseException as error:  # noqa: BLE001 - kept, and shown by whoever is there
            self.error = error
            if self._on_error is not None:
                self._on_error(error)
        finally:
            self.working = False

    def _wait_for_jobs(self) -> bool:
        """Until one is queued; False when that need not be waited for any more."""
        while not self._alone.is_set() and not self._stop.wait(IDLE):
            if self._has_jobs():
                return True
        return False
