"""The latched alert: on every screen until somebody acknowledges it, in words, not only in red."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from textual.content import Content
from textual.geometry import Size
from textual.timer import Timer

from lvm_tui.state.views import Alert, Frame
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import clickable, clipped, lines, spread

FLASH = 0.6
"""Seconds between bright and dark."""

ACKNOWLEDGING = "acknowledging …"

AlertId = tuple[str, str, float]


def identity(alert: Alert) -> AlertId:
    """Of an alert and its raising: its run, its name, when."""
    return alert.run, alert.id, alert.time


SIGNS = {"severe": "▲▲▲", "alarm": "▲▲", "caution": "▲", "notice": "•"}


@dataclass(frozen=True, slots=True)
class AlertKeys:
    """Under which keys a person answers; "" where there is none."""

    acknowledge: str = ""
    all: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """What the banner shows."""

    alerts: tuple[Alert, ...] = ()
    """Those that wait for an answer; if none does, those of which the log does not tell yet."""
    at: int = 0
    """Which of them."""
    keys: AlertKeys = AlertKeys()
    settling: int = 0
    """Alerts that were acknowledged here, of which the log does not tell yet."""
    settles: bool = False
    """All are."""


class AlertBanner(Board[Open]):
    """One open alert, the most urgent unless another was chosen, and how many more there are."""

    _slice = Open()
    _timer: Timer | None = None
    _keys = AlertKeys()
    _chosen: tuple[str, str] | None = None
    _first: tuple[str, str] | None = None
    """The most urgent one when `_chosen` was chosen: a more urgent one comes before any choice."""

    @property
    def alert(self) -> Alert | None:
        """The one that is shown, and that the key acknowledges."""
        return self._slice.alerts[self._slice.at] if self._slice.alerts else None

    def show_frame(
        self, frame: Frame, *, calm: bool, keys: AlertKeys, told: Collection[AlertId] = ()
    ) -> None:
        """told: alerts that were acknowledged here."""
        waiting = tuple(alert for alert in frame.alerts if identity(alert) not in told)
        settling = len(frame.alerts) - len(waiting)
        alerts = waiting or frame.alerts
        known = [(alert.run, alert.id) for alert in alerts]
        at = 0
        if self._chosen in known and self._first == known[0]:
            at = known.index(self._chosen)
        self._keys = AlertKeys() if frame.watching else keys
        settles = bool(alerts) and not waiting
        self._show(Open(alerts, at, self._keys, settling, settles), calm=calm)

    def next(self, *, calm: bool) -> None:
        """Show the alert after this one; after the last comes the first."""
        alerts = self._slice.alerts
        if len(alerts) > 1 and not self._slice.settles:
            at = (self._slice.at + 1) % len(alerts)
            self._chosen, self._first = ((each.run, each.id) for each in (alerts[at], alerts[0]))
            self._show(replace(self._slice, at=at), calm=calm)

    def _show(self, slice_: Open, *, calm: bool) -> None:
        self.show(slice_)
        alert = self.alert
        self.display = alert is not None
        for level in SIGNS:
            self.set_class(alert is not None and alert.level == level, f"-{level}")
        flashing = alert is not None and alert.flashing and not (calm or slice_.settles)
        if flashing and self._timer is None:
            self._timer = self.set_interval(FLASH, self.flash)
        elif not flashing and self._timer is not None:
            self._timer.stop()
            self._timer = None
            self.remove_class("-dark")

    @property
    def flashing(self) -> bool:
        return self._timer is not None

    def flash(self) -> None:
        """From bright to dark or back, while somebody can see it."""
        if self.screen in self.app.screen_stack:
            self.toggle_class("-dark")

    def draw(self, slice_: Open, size: Size) -> Content:
        if not slice_.alerts:
            return Content("")
        alert, count, width = slice_.alerts[slice_.at], len(slice_.alerts), size.width
        sign = SIGNS.get(alert.level, "•")
        keys = _keys(slice_)
        first = Content.assemble((f"{sign} ", "bold"), (alert.message, "bold"))
        beside = first.cell_length + keys.cell_length + 2 <= width
        several = count > 1 and not slice_.settles
        notes = [Content(f"{slice_.at + 1} of {count}")] if several else []
        if slice_.settling and not slice_.settles:
            notes.append(Content(f"{ACKNOWLEDGING} {slice_.settling} more"))
        notes.append(Content(f"{alert.run} {alert.epochs}".rstrip()))
        if not beside and keys:
            notes.insert(0, keys)
        if alert.fix:
            notes.append(Content(f"→ {alert.fix}"))
        second = Content(" " * (len(sign) + 1)) + Content(" · ").join(notes)
        top = spread(first, keys if beside else Content(""), width)
        return lines((top, spread(clipped(second, width), Content(""), width)))


def _keys(slice_: Open) -> Content:
    if slice_.settles:
        return Content(ACKNOWLEDGING + (f" {slice_.settling} alerts" * (slice_.settling > 1)))
    keys, several = slice_.keys, len(slice_.alerts) > 1
    parts = [(keys.acknowledge, "acknowledge", "acknowledge")]
    if several:
        parts += [(keys.all, "all", "acknowledge(True)"), (keys.next, "next", "next_alert")]
    return Content("  ").join(
        [clickable(key, words, f"app.{action}", "bold") for key, words, action in parts if key]
    )
