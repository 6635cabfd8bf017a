"""Reads the machine's gauges while something trains on it, in a thread of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from lvm.runs.who import host
from lvm_tui.machine import Gauges, Meter
from lvm_tui.messages import Gauged
from lvm_tui.state.views import Frame, RunnerView

if TYPE_CHECKING:
    from textual.app import App

    Base = App[Any]
else:
    Base = object

PAUSE, CALM_PAUSE = 2.0, 10.0
"""Seconds between two readings."""


class Gauging(Base):
    """Mixed into the app."""

    calm: bool
    more_to_show: bool
    meter: Meter | None = None
    """None: no gauges are read."""
    gauges: Gauges | None = None
    """None while nothing trains here."""

    @property
    def frame(self) -> Frame:
        raise NotImplementedError

    def keep_gauging(self) -> None:
        if self.meter is not None:
            self.set_timer(CALM_PAUSE if self.calm else PAUSE, self.look_at_gauges)

    def look_at_gauges(self) -> None:
        """One reading, if this machine is at work; then the next one after a pause."""
        if trains_here(self.frame.runner):
            # not a worker of Textual's: those are waited for when a person leaves
            threading.Thread(target=self._read_gauges, name="gauges", daemon=True).start()
        else:
            self.post_message(Gauged(None))

    def _read_gauges(self) -> None:
        assert self.meter is not None
        self.post_message(Gauged(self.meter.read()))

    def on_gauged(self, message: Gauged) -> None:
        if message.gauges != self.gauges:
            self.gauges = message.gauges
            self.more_to_show = self.calm  # then it may have to wait its turn
            self.tick() if self.calm else self.redraw()
        self.keep_gauging()

    def tick(self) -> None:
        """Show what is due."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Give the screen on top its frame again."""
        raise NotImplementedError


def elsewhere(runner: RunnerView) -> str:
    """The machine that trains, if it is another one than this; else ""."""
    return runner.host if runner.alive and not trains_here(runner) else ""


def trains_here(runner: RunnerView) -> bool:
    """Whether the runner is alive, and on this machine."""
    return runner.alive and (runner.here or runner.host == host())
