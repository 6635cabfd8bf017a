"""The latched alert: on every screen until somebody acknowledges it, in words, not only in red."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.timer import Timer

from lvm_tui.state.views import Alert, Frame
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import lines, spread

FLASH = 0.6
"""Seconds between bright and dark."""

_SIGNS = {"severe": "▲▲▲", "alarm": "▲▲", "caution": "▲", "notice": "•"}


class AlertBanner(Board[tuple[Alert, ...]]):
    """The most urgent open alert, and how many more there are."""

    _timer: Timer | None = None
    _watching = False

    @property
    def alert(self) -> Alert | None:
        """The one that is shown, and that the key acknowledges."""
        return self._slice[0] if self._slice else None

    def show_frame(self, frame: Frame, *, calm: bool) -> None:
        self._watching = frame.watching
        self.show(frame.alerts)
        alert = self.alert
        self.display = alert is not None
        for level in _SIGNS:
            self.set_class(alert is not None and alert.level == level, f"-{level}")
        flashing = alert is not None and alert.flashing and not calm
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
        """From bright to dark or back."""
        self.toggle_class("-dark")

    def draw(self, slice_: tuple[Alert, ...], size: Size) -> Content:
        if not slice_:
            return Content("")
        alert = slice_[0]
        width = size.width
        sign = _SIGNS.get(alert.level, "•")
        keys = "[a] acknowledge" + ("  [A] all" if len(slice_) > 1 else "")
        key = Content.styled("" if self._watching else keys, "bold")
        first = spread(Content.assemble((f"{sign} ", "bold"), (alert.message, "bold")), key, width)
        notes = [f"1 of {len(slice_)}"] if len(slice_) > 1 else []
        notes.append(alert.run if alert.epoch == 0 else f"{alert.run} epoch {alert.epoch}")
        if not self._watching and keys not in first.plain:
            notes.insert(0, keys)
        if alert.fix:
            notes.append(f"→ {alert.fix}")
        second = Content(" " * (len(sign) + 1) + " · ".join(notes))
        return lines((first, second.truncate(width, ellipsis=True)))
