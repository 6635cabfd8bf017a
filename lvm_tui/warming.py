"""Makes every screen ready before its key is pressed, one small step in an idle moment each.

What the first showing of a screen costs (its module, its style sheet, its widgets, the first
drawing of each) is paid after the first paint, so that a key shows a screen as fast the first time
as the second.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from lvm_tui.modes import MODES, Mode
from lvm_tui.state.views import Frame

if TYPE_CHECKING:
    from textual.app import App

    from lvm_tui.engine import Engine

    Base = App[Any]
else:
    Base = object

QUIET = 1.0
"""Seconds after the first paint, when the first screen is made."""

BETWEEN = 0.15
"""Seconds between two steps: a step takes up to 50 ms, and a key is not to meet several."""

BEGUN = 2.0
"""Seconds between two looks whether a training has begun here."""

BLINK = 0.005
"""Seconds that the picture stands still when another screen comes up that is ready: as long as it
takes to hear of it. Textual waits ten times as long, so that nobody sees a screen being built."""


class Warming(Base):
    """Mixed into the app."""

    @property
    def frame(self) -> Frame:
        raise NotImplementedError

    engine: Engine | None
    ready = False
    """Whether all screens were made."""

    def warm_up(self, quiet: float = QUIET, between: float = BETWEEN) -> None:
        """From now on, until all screens are there."""
        self._steps, self._between = steps_of(self), between
        self.set_timer(quiet, self._warm)

    def delay_update(self, delay: float = 0.05) -> None:
        super().delay_update(BLINK if self.ready else delay)

    def _warm(self) -> None:
        if self.frame.catching_up:  # a person waits for that
            self.set_timer(self._between, self._warm)
            return
        step = next(self._steps, None)
        self.ready = step is None
        if step is not None:
            step()
            self.set_timer(self._between, self._warm)
        else:
            gc.freeze()  # see `_freeze_with_torch`
            self._freeze_with_torch()

    def _freeze_with_torch(self) -> None:
        """What is there once a training goes on stays: no garbage collection looks through it.

        A full one would go through every object of this program and of torch, for a fifth of a
        second in which no thread can do anything else.
        """
        if self.engine is None:
            return
        run = self.frame.run
        if self.frame.runner.here and run is not None and run.phase == "training":
            gc.freeze()
        else:
            self.set_timer(BEGUN, self._freeze_with_torch)


def steps_of(app: App[Any]) -> Iterator[Callable[[], object]]:
    for mode in MODES:
        if _screen_of(app, mode) is None:
            yield mode.kind  # the import
        if _screen_of(app, mode) is None:  # nobody has shown it meanwhile
            yield partial(app._init_mode, mode.name)
            yield partial(_draw, app, mode)


def _screen_of(app: App[Any], mode: Mode) -> Screen[Any] | None:
    """The full screen of a mode, if it was made already."""
    stack = app._screen_stacks.get(mode.name)
    return stack[0] if stack else None


def _draw(app: App[Any], mode: Mode) -> None:
    """Draw a screen that is not shown, into the caches of its widgets."""
    screen = _screen_of(app, mode)
    if screen is not None and screen is not app.screen and screen.is_mounted:
        screen._css_update_count = app._css_update_count  # its styles are those of now
        screen._compositor.render_strips()
