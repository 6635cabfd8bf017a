"""Which alerts are one and the same: a finding that every epoch repeats is one alert until somebody
acknowledges it or it becomes another (worse, better, another cause). Pure.

Every raising stays in the event log, and counts against production.
"""

from __future__ import annotations

from collections.abc import Iterable

from lvm.events import AlertAcknowledged, AlertRaised, Event

Kind = tuple[str, str, str]
"""Cause, level, split."""


def kind_of(alert: AlertRaised) -> Kind:
    return alert.cause, alert.level, alert.split


class Latched:
    """One finding, from its first raising to the last one so far."""

    def __init__(self, first: AlertRaised) -> None:
        self.kind = kind_of(first)
        self.epoch = first.epoch
        self.ids = [first.alert]

    def takes(self, again: AlertRaised) -> bool:
        """Whether a raising is this finding again, of a later epoch; then it is part of it."""
        if again.alert in self.ids:  # an epoch that was trained again after a resume
            return True
        if kind_of(again) != self.kind or again.epoch <= self.epoch:
            return False
        self.epoch = again.epoch
        self.ids.append(again.alert)
        return True


class Latch:
    """The open findings of one run's events."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.open: list[Latched] = []
        """Oldest first."""
        for event in events:
            self.take(event)

    def take(self, event: Event) -> bool:
        """One event more; false for a raising that only repeats what is open."""
        if isinstance(event, AlertAcknowledged):
            self.open = [found for found in self.open if event.alert not in found.ids]
        elif isinstance(event, AlertRaised):
            if any(found.takes(event) for found in self.open):
                return False
            self.open.append(Latched(event))
        return True

    def firsts(self, alert: str) -> list[str]:
        """The first raising of the open finding that `alert` is one of; of each if it is ""."""
        return [found.ids[0] for found in self.open if alert in ("", *found.ids)]
