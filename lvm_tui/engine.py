"""The only place that starts work: the runner, in a thread of its own.

Not a Textual worker: those live in the app's event loop, and `App.run` cannot return before they
have ended. This thread outlives the app, so that training goes on when the screen is left or the
terminal dies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Engine:
    def __init__(self, work: Callable[[], None]) -> None:
        """work: everything that is to be done; returns when the queue is empty or was stopped."""
        self._work = work
        self._thread: threading.Thread | None = None
        self._on_end: Callable[[], None] | None = None
        self.error: BaseException | None = None
        """What ended the work, if it was an error."""

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, on_end: Callable[[], None]) -> None:
        """Begin; `on_end` is called in the thread when the work has ended, well or badly."""
        if self._thread is not None:
            return
        self._on_end = on_end
        self._thread = threading.Thread(target=self._run, name="lvm-runner")
        self._thread.start()

    def forget_screen(self) -> None:
        """The app is gone: nobody is told any more."""
        self._on_end = None

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; whether the work has ended."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.running

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - kept, and shown by whoever is there
            self.error = error
        if self._on_end is not None:
            self._on_end()
