"""Things measured in turns, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Turns:
    """Seconds of each turn of each contestant, turn by turn."""

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def ratios(self, slow: str, fast: str) -> list[float]:
        """How many times faster `fast` was than `slow`, for each pair of turns."""
        pairs = zip(self.seconds[slow], self.seconds[fast], strict=True)
        return [one / other for one, other in pairs]

    def ratio(self, slow: str, fast: str) -> float:
        """The median of the paired ratios."""
        return statistics.median(self.ratios(slow, fast))


def take_turns(contestants: Mapping[str, Callable[[], object]], rounds: int) -> Turns:
    """Let each do its turn, once a round; who goes first moves on from round to round."""
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            begun = time.perf_counter()
            contestants[name]()
            seconds[name].append(time.perf_counter() - begun)
    return Turns(seconds)
