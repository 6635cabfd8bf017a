"""What the app does when its terminal is slow, gone, or a signal comes (see session.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lvm_tui.messages import TerminalLost
from lvm_tui.terminal import detach, is_gone

if TYPE_CHECKING:
    from textual.app import App

    Base = App[Any]
else:
    Base = object

TICK = 1.0
"""Seconds between two looks whether the terminal is still there."""


class Surviving(Base):
    """Mixed into the app."""

    calm: bool
    """No flashing, one picture a second."""

    def keep_ticking(self) -> None:
        """Poll at the pace of now."""
        raise NotImplementedError

    def action_leave(self) -> None:
        raise NotImplementedError

    def be_calm(self) -> None:
        self.calm = True
        self.animation_level = "none"

    def look_at_terminal(self) -> None:
        """From now on, every second: a hang-up does not always come with a signal."""
        if not self.is_headless:
            self.set_interval(TICK, self._look)

    def _look(self) -> None:
        if is_gone():
            self.post_message(TerminalLost())

    def on_terminal_lost(self) -> None:
        detach()
        self.exit("lost")

    def on_slow_line(self) -> None:
        if not self.calm:
            self.be_calm()
            self.keep_ticking()
            self.notify("slow line: one picture a second, nothing flashes")

    def on_line_free(self) -> None:
        self.refresh()

    def on_terminate(self) -> None:
        self.exit("terminated")

    def on_interrupt(self) -> None:
        self.action_leave()
