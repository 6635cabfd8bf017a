"""A clock that moves only when somebody sleeps, and scripted trainers that need no torch."""

from __future__ import annotations


class FakeClock:
    """Starts at 1,000 s; `sleep` returns at once and moves it on."""

    def __init__(self, start: float = 1000.0) -> None:
        self.time = start

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
