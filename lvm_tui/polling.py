"""The clock of the app: looks at the logs, gives the screen on top what is new, tells of news."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lvm.errors import LvmError
from lvm_tui.live import Desk, Live
from lvm_tui.messages import Problem
from lvm_tui.pacing import Pacing
from lvm_tui.screens.base import FrameScreen
from lvm_tui.state.news import news
from lvm_tui.state.views import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import App
    from textual.timer import Timer

    from lvm.runs.notices import Notice

    Base = App[Any]
else:
    Base = object

TICK, CALM_TICK = 0.1, 1.0
"""Seconds between two looks at the logs."""

BREATH = 0.001
"""Seconds for keys and the screen between two pieces of a log that is longer than one look."""


class Polling(Base):
    """Mixed into the app."""

    calm: bool
    live: Live
    workspace: Desk
    _ticking: Timer | None = None
    _reads_on = False
    _troubled = ""
    more_to_show = False
    """Something that is no part of the frame has changed, and may wait its turn."""
    monotonic: Callable[[], float] = staticmethod(time.monotonic)

    def begin_polling(self) -> None:
        self._pacing = Pacing(self.monotonic)
        self.keep_ticking()

    @property
    def frame(self) -> Frame:
        return self.live.frame

    def keep_ticking(self) -> None:
        """Poll at the pace of now."""
        if self._ticking is not None:
            self._ticking.stop()
        self._ticking = self.set_interval(CALM_TICK if self.calm else TICK, self.tick)

    def tick(self) -> None:
        """Look at the logs; the screen on top gets a frame only if something changed."""
        before = self.frame
        try:
            after = self.live.poll()
        except (LvmError, OSError) as error:
            self._trouble(error)
            return
        self._troubled = ""
        if self._pacing.due(after, calm=self.calm, more=self.more_to_show):
            self.more_to_show = False
            self.redraw()
        if after is not before:
            self.tell_of(news(before, after))
        if after.catching_up and not self._reads_on:
            self._reads_on = True
            self.set_timer(BREATH, self._read_on)

    def redraw(self) -> None:
        """Give the screen on top its frame, under whatever dialog lies on it."""
        screen = self.screen_stack[0] if self.screen_stack else None
        if isinstance(screen, FrameScreen) and screen.is_mounted:
            screen.receive(self.frame)

    def tell_of(self, notices: Iterable[Notice]) -> None:
        raise NotImplementedError

    def _read_on(self) -> None:
        self._reads_on = False
        self.tick()

    def _trouble(self, error: Exception) -> None:
        """The logs or the database cannot be read: told once, tried again at every tick."""
        if str(error) != self._troubled:
            self._troubled = str(error)
            where = str(self.workspace.log_path)
            self.post_message(Problem.of("What happens cannot be read", error, where))
