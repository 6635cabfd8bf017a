"""The dashboard's app: modes, keys, themes, the clock that polls, and the runner's start."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen

from lvm_tui import modes, themes
from lvm_tui.engine import Engine
from lvm_tui.glyphs import Ascii, needs_ascii
from lvm_tui.live import Desk, Live
from lvm_tui.messages import Exported, Problem, TerminalLost
from lvm_tui.screens.base import FrameScreen
from lvm_tui.screens.dialogs import Answer, Ask
from lvm_tui.screens.help import Help, keys_of
from lvm_tui.screens.leave import GO_ON, STOP, leave
from lvm_tui.screens.problem import problem
from lvm_tui.state.views import Frame
from lvm_tui.terminal import LastingDriver, detach, is_gone
from lvm_tui.widgets.alert_banner import AlertBanner

if TYPE_CHECKING:
    from textual.driver import Driver

Exit = Literal["quit", "go_on", "stop", "lost", "terminated"]
"""Why the app ended, for session.py: what is to become of the work."""

TICK, CALM_TICK = 0.1, 1.0
"""Seconds between two looks at the logs."""

TERMINAL_TICK = 1.0
"""Seconds between two looks whether the terminal is still there."""


class LvmApp(App[Exit]):
    TITLE = "lvm-tui"
    CSS_PATH: ClassVar[list[str]] = ["styles/app.tcss", "styles/dashboard.tcss"]  # type: ignore[assignment]
    MODES = modes.factories()  # type: ignore[assignment]
    DEFAULT_MODE = "dashboard"
    ENABLE_COMMAND_PALETTE = True

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(m.key, f"switch_mode('{m.name}')", m.label, show=False) for m in modes.MODES),
        Binding("space", "pause", "Pause"),
        Binding("s", "stop", "Stop"),
        Binding("a", "acknowledge", "Acknowledge", show=False),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "leave", "Leave"),
        Binding("ctrl+c,ctrl+q", "leave", "Leave", show=False),
    ]

    def __init__(
        self,
        workspace: Desk,
        *,
        engine: Engine | None = None,
        watch: bool = False,
        run: str = "",
        theme: str = "",
        calm: bool = False,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """engine: starts after the first paint if nobody else trains; None only looks."""
        super().__init__()
        themes.register(self)
        self.theme = theme or themes.DEFAULT
        self.workspace = workspace
        self.engine = engine
        self.watching = watch
        self.calm = calm or "none" in (
            environment.get("LVM_TUI_ANIMATIONS"),
            environment.get("TEXTUAL_ANIMATIONS"),
        )
        if self.calm:
            self.animation_level = "none"
        self._ascii = needs_ascii(environment)
        self.live = Live(workspace, run=run, watching=watch)

    @property
    def frame(self) -> Frame:
        return self.live.frame

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        themes.add_shades(variables)
        return variables

    def get_driver_class(self) -> type[Driver]:
        return LastingDriver

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = list(super().get_line_filters())
        return [*filters, Ascii()] if self._ascii else filters

    def on_mount(self) -> None:
        if not self.is_headless:
            self.set_interval(TERMINAL_TICK, self._look_at_terminal)
        self.set_interval(CALM_TICK if self.calm else TICK, self.tick)
        self.call_after_refresh(self._begin)

    def tick(self) -> None:
        """Look at the logs; the screen on top gets a frame only if something changed."""
        before = self.frame
        after = self.live.poll()
        screen = self.screen_stack[0] if self.screen_stack else None
        if after is not before and isinstance(screen, FrameScreen) and screen.is_mounted:
            screen.receive(after)

    def _begin(self) -> None:
        """After the first paint: train, unless somebody else does."""
        self.tick()
        if self.engine is not None and not self.watching and not self.frame.runner.alive:
            self.engine.start(self._engine_ended)

    def _engine_ended(self) -> None:
        """In the engine's thread."""
        error = self.engine.error if self.engine is not None else None
        if error is not None:
            where = str(self.workspace.log_path)
            self.post_message(Problem.of("Training stopped with an error", error, where))

    def on_problem(self, message: Problem) -> None:
        self.push_screen(problem(message))

    def on_exported(self, message: Exported) -> None:
        self.notify(", ".join(message.names), title=f"exported to {message.folder}")

    # -------------------------------------------------------------- signals (see session.py)

    def _look_at_terminal(self) -> None:
        if is_gone():
            self.post_message(TerminalLost())

    def on_terminal_lost(self) -> None:
        detach()
        self.exit("lost")

    def on_terminate(self) -> None:
        self.exit("terminated")

    def on_interrupt(self) -> None:
        self.action_leave()

    # -------------------------------------------------------------- keys

    def action_pause(self) -> None:
        run = self.frame.run
        paused = run is not None and run.phase == "paused"
        self._send("resume" if paused else "pause", "going on" if paused else "pausing")

    def action_stop(self) -> None:
        if self._may_command():
            question = Ask(
                "Stop",
                "Stop after a checkpoint? The queue stops with it.\n"
                "Started again, it goes on from there, to the same bits.",
                (Answer("y", "yes", "stop", "warning"), Answer("n", "", "go on training")),
            )
            self.push_screen(question, lambda answer: self._stop_if(answer == "yes"))

    def _stop_if(self, wanted: bool) -> None:
        if wanted:
            self._send("stop", "stopping after a checkpoint")

    def action_acknowledge(self) -> None:
        alert = self.screen.query_one(AlertBanner).alert if self.frame.alerts else None
        if alert is None:
            self.notify("no open alert")
        elif self.watching:
            self.notify("look only: lvm-tui without “watch” can acknowledge", severity="warning")
        else:
            self.workspace.acknowledge(alert, self.frame)

    def _may_command(self) -> bool:
        if self.watching:
            self.notify("look only: start lvm-tui without “watch” to steer", severity="warning")
        elif not self.frame.runner.alive:
            self.notify("nothing trains at the moment", severity="warning")
        else:
            return True
        return False

    def _send(self, kind: str, words: str) -> None:
        if self._may_command():
            self.workspace.send(kind)
            self.notify(f"{words} …", timeout=2)

    def action_help(self) -> None:
        screen = self.screen
        if isinstance(screen, FrameScreen):
            active = [entry.binding for entry in screen.active_bindings.values()]
            display = {b.key: self.get_key_display(b) for b in active}
            self.push_screen(Help(screen.TITLE, screen.HELP_TEXT, keys_of(active, display)))

    def action_leave(self) -> None:
        if self.engine is None or not self.engine.running:
            self.exit("quit")
        elif isinstance(self.screen, FrameScreen):
            self.push_screen(leave(), self._left)

    def _left(self, answer: str | None) -> None:
        if answer in (GO_ON, STOP):
            self.exit(cast("Exit", answer))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action of the screen at hand, and Textual's own."""
        for entry in screen.active_bindings.values():
            binding = entry.binding
            if binding.description and not binding.system:
                action = binding.action

                async def run(action: str = action, node: object = entry.node) -> None:
                    await self.run_action(action, node)  # type: ignore[arg-type]

                key = self.get_key_display(binding)
                yield SystemCommand(binding.description, f"key {key}", run)
        yield from super().get_system_commands(screen)
