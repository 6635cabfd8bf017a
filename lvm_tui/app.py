"""The app: modes, keys, themes, the clock that polls, and the start of the runner."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from lvm.config import DashboardSettings, NotifySettings
from lvm.errors import LvmError
from lvm_tui import keymap, modes, palette
from lvm_tui.appearance import Appearance
from lvm_tui.attention import Attention
from lvm_tui.engine import Engine
from lvm_tui.gauging import Gauging
from lvm_tui.glyphs import wants_calm
from lvm_tui.live import Desk, Live
from lvm_tui.machine import Meter
from lvm_tui.messages import Exported, Problem
from lvm_tui.pacing import Pacing
from lvm_tui.screens.base import FrameScreen
from lvm_tui.screens.help import Help, keys_of
from lvm_tui.screens.leave import GO_ON, STOP, leave
from lvm_tui.screens.problem import problem
from lvm_tui.state.news import news
from lvm_tui.state.views import Frame
from lvm_tui.steering import Steering
from lvm_tui.stylesheet import LastingStylesheet
from lvm_tui.surviving import Surviving
from lvm_tui.terminal import LastingDriver

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.timer import Timer

Exit = Literal["quit", "go_on", "stop", "lost", "terminated"]
"""Why the app ended, for session.py: what is to become of the work."""

TICK, CALM_TICK = 0.1, 1.0
"""Seconds between two looks at the logs."""

QUIET = 1.0
"""Seconds after the first paint, when what may be needed later is loaded."""

BREATH = 0.005
"""Seconds for keys and the screen between two pieces of a log that is longer than one look."""


class LvmApp(Steering, Surviving, Attention, Appearance, Gauging, App[Exit]):
    TITLE = "lvm-tui"
    CSS_PATH: ClassVar[list[str]] = ["styles/app.tcss", "styles/dashboard.tcss"]  # type: ignore[assignment]
    MODES = modes.factories()  # type: ignore[assignment]
    DEFAULT_MODE = "dashboard"
    ENABLE_COMMAND_PALETTE = True

    BINDINGS: ClassVar[list[BindingType]] = [
        *modes.bindings(),
        *Steering.KEYS,
        Binding("question_mark", "help", "Help", key_display="?", id="help"),
        Binding("q", "leave", "Leave", id="leave"),
        Binding("ctrl+c,ctrl+q", "leave", "Leave", show=False),
    ]

    def __init__(
        self,
        workspace: Desk,
        *,
        engine: Engine | None = None,
        meter: Meter | None = None,
        watch: bool = False,
        run: str = "",
        look: DashboardSettings | None = None,
        words: NotifySettings | None = None,
        environment: Mapping[str, str] = os.environ,
        zone: tzinfo | None = None,
    ) -> None:
        """engine: starts after the first paint if nobody else trains; None only looks.
        meter: of this machine; None shows no gauges.

        look, words: the [dashboard] and [notify] of lvm.toml. zone: of the clock; None is the
        machine's own.
        Raises SettingsError for a theme or an action that there is not.
        """
        super().__init__()
        self.stylesheet = LastingStylesheet(variables=self.get_css_variables())
        look = look or DashboardSettings()
        self.dress(look.theme, environment)
        self.set_keymap(keymap.checked(look.keys, self.BINDINGS))
        self.workspace = workspace
        self.engine = engine
        self.meter = meter
        self.watching = watch
        self.zone = zone
        self.calm = False
        self._ticking: Timer | None = None
        self._reads_on = False
        self._troubled = ""
        self._pacing = Pacing()
        self.words = words or NotifySettings()
        self.environment = environment
        self.live = Live(workspace, run=run, watching=watch)
        if wants_calm(look.animations, environment):
            self.be_calm()

    @property
    def frame(self) -> Frame:
        return self.live.frame

    def get_driver_class(self) -> type[Driver]:
        return LastingDriver

    def on_mount(self) -> None:
        self.look_at_terminal()
        self.keep_ticking()
        self.keep_gauging()
        self.say_how_to_keep_themes()
        self.call_after_refresh(self._begin)

    def keep_ticking(self) -> None:
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
        if self._pacing.due(after, calm=self.calm):
            self.redraw()
        if after is not before:
            self.tell_of(news(before, after))
        if after.catching_up and not self._reads_on:
            self._reads_on = True
            self.set_timer(BREATH, self._read_on)

    def redraw(self) -> None:
        screen = self.screen_stack[0] if self.screen_stack else None
        if isinstance(screen, FrameScreen) and screen.is_mounted:
            screen.receive(self.frame)

    def _read_on(self) -> None:
        self._reads_on = False
        self.tick()

    def _trouble(self, error: Exception) -> None:
        """The logs or the database cannot be read: told once, tried again at every tick."""
        if str(error) != self._troubled:
            self._troubled = str(error)
            where = str(self.workspace.log_path)
            self.post_message(Problem.of("What happens cannot be read", error, where))

    def _begin(self) -> None:
        """After the first paint: train, unless somebody else does."""
        self.tick()
        if not self.frame.runner.alive:
            self.start_engine()
        self.set_timer(QUIET, self._load_screens)

    def _load_screens(self, loaded: int = 0) -> None:
        """Import the screens one by one before a key asks for them."""
        if loaded < len(modes.MODES):
            modes.MODES[loaded].kind()
            self.set_timer(TICK, partial(self._load_screens, loaded + 1))

    def start_engine(self) -> bool:
        """Train what is queued, in this process; False where it only looks."""
        if self.engine is None or self.watching:
            return False
        self.engine.start(self._engine_failed)
        return True

    def _engine_failed(self, error: BaseException) -> None:
        """In the engine's thread."""
        where = str(self.workspace.log_path)
        self.post_message(Problem.of("Training stopped with an error", error, where))

    def on_problem(self, message: Problem) -> None:
        self.push_screen(problem(message))

    def on_exported(self, message: Exported) -> None:
        self.notify(", ".join(message.names), title=f"exported to {message.folder}")

    def action_help(self) -> None:
        screen = self.screen
        if isinstance(screen, FrameScreen):
            self.push_screen(Help(screen.TITLE, screen.HELP_TEXT, keys_of(screen)))

    def action_leave(self) -> None:
        if self.engine is None or not self.engine.working:
            self.exit("quit")
        elif isinstance(self.screen, FrameScreen):
            self.push_screen(leave(), self._left)

    async def action_quit(self) -> None:
        """Textual's own way out, of its palette."""
        self.action_leave()

    def _left(self, answer: str | None) -> None:
        if answer in (GO_ON, STOP):
            self.exit(cast("Exit", answer))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from palette.commands(self, screen)
        yield from super().get_system_commands(screen)
