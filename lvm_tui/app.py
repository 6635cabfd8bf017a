"""The app: modes, keys, themes, the clock that polls, and the start of the runner."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from lvm.config import DashboardSettings, NotifySettings
from lvm_tui import keymap, modes, palette
from lvm_tui.appearance import Appearance
from lvm_tui.attention import Attention
from lvm_tui.engine import Engine
from lvm_tui.gauging import Gauging
from lvm_tui.glyphs import wants_calm
from lvm_tui.live import Desk, Live
from lvm_tui.machine import Meter
from lvm_tui.messages import Exported, Problem
from lvm_tui.polling import Polling
from lvm_tui.screens.base import FrameScreen
from lvm_tui.screens.help import Help, keys_of
from lvm_tui.screens.leave import GO_ON, STOP, leave
from lvm_tui.screens.problem import problem
from lvm_tui.steering import Steering
from lvm_tui.stylesheet import LastingStylesheet
from lvm_tui.surviving import Surviving
from lvm_tui.terminal import LastingDriver
from lvm_tui.warming import Warming

if TYPE_CHECKING:
    from textual.driver import Driver

Exit = Literal["quit", "go_on", "stop", "lost", "terminated"]
"""Why the app ended, for session.py: what is to become of the work."""


class LvmApp(Attention, Polling, Steering, Surviving, Appearance, Gauging, Warming, App[Exit]):
    TITLE = "lvm-tui"
    CSS_PATH: ClassVar[list[str]] = [  # type: ignore[assignment]
        "styles/app.tcss",
        "styles/dashboard.tcss",
        "styles/colourless.tcss",
    ]
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
        monotonic: Callable[[], float] = time.monotonic,
        warm: bool = False,
    ) -> None:
        """engine: starts after the first paint if nobody else trains; None only looks.
        meter: of this machine; None shows no gauges.

        look, words: the [dashboard] and [notify] of lvm.toml. zone: of the clock; None is the
        machine's own. monotonic: seconds, for what may wait its turn.
        warm: make every screen ready before its key is pressed.
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
        self.monotonic = monotonic
        self._warms_up = warm
        self.calm = False
        self.words = words or NotifySettings()
        self.environment = environment
        self.live = Live(workspace, run=run, watching=watch)
        if wants_calm(look.animations, environment):
            self.be_calm()

    def get_driver_class(self) -> type[Driver]:
        return LastingDriver

    def on_mount(self) -> None:
        self.look_at_terminal()
        self.begin_polling()
        self.keep_gauging()
        self.say_how_to_keep_themes()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """After the first paint: train, unless somebody else does."""
        self.tick()
        if not self.frame.runner.alive:
            self.start_engine()
        if self._warms_up:
            self.warm_up()

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
