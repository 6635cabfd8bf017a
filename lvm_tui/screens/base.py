"""What every full screen has: the run's header, the latched alert, the keys in the footer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.dom import DOMNode
from textual.events import Resize
from textual.screen import Screen
from textual.widget import Widget

from lvm_tui.state.stranding import steering_words
from lvm_tui.state.views import Frame
from lvm_tui.widgets.alert_banner import AlertBanner, AlertKeys
from lvm_tui.widgets.key_bar import Key, KeyBar
from lvm_tui.widgets.run_header import RunHeader
from lvm_tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from lvm_tui.app import LvmApp


CRAMPED = (74, 20)
"""Columns and rows below which a screen leaves out what it can do without."""

STEERING = ("pause", "stop")
"""Keys that mean what the runner makes of them; who only looks need not be shown them."""


WIDE, TALL = 110, 32
"""Cells from which on there is room for two columns, and for more than one body at once."""


class FrameScreen(Screen[None]):
    """A full screen that shows frames. Subclasses give `compose_body`, `show_frame`, `HELP`."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide"), (180, "-vast")]  # noqa: RUF012 - typed by Screen
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL, "-tall"), (60, "-towering")]  # noqa: RUF012

    TITLE = ""
    HELP_TEXT: ClassVar[str] = ""
    """What `?` says about this screen below its keys, in Textual's markup."""
    PARTS: ClassVar[tuple[type[Widget], ...]] = ()
    """Widgets of it that have keys of their own."""

    _meaning: tuple[ActiveBinding, ...] = ()
    """What keys mean now; asked for once a frame."""

    @property
    def lvm(self) -> LvmApp:
        return cast("LvmApp", self.app)

    @property
    def is_seen(self) -> bool:
        """Whether it is shown, dialogs over it or not; false while it was only made ready."""
        return self in self.app.screen_stack

    def compose(self) -> ComposeResult:
        yield RunHeader(id="header")
        yield AlertBanner(id="alert")
        yield from self.compose_body()
        yield KeyBar(id="keys")
        yield TooSmall(id="too_small")

    def compose_body(self) -> ComposeResult:
        """Everything between the alert and the footer."""
        raise NotImplementedError

    def show_frame(self, frame: Frame) -> None:
        """Give the widgets of the body their slices."""
        raise NotImplementedError

    def receive(self, frame: Frame) -> None:
        """A new frame; called by the app for the screen on top, and when it comes to the top."""
        self._meaning = tuple(self.active_bindings.values())
        self.query_one(RunHeader).show_frame(frame, self.starting_key)
        self.query_one(AlertBanner).show_frame(
            frame, calm=self.lvm.calm, keys=self._alert_keys(), told=self.lvm.told
        )
        self.query_one(KeyBar).show_keys(
            self.app.current_mode, self._keys(self), self._keys(self.app)
        )
        self.show_frame(frame)

    def key_of(self, name: str) -> str:
        """The key that is named so in the key map, as a person reads it; "" where another action
        of this screen has taken it."""
        for entry in self._meaning or tuple(self.active_bindings.values()):
            if entry.binding.id == name:
                return self.app.get_key_display(entry.binding)
        return ""

    @property
    def starting_key(self) -> str:
        """The key that lets the training begin or go on; "" for who only looks."""
        return "" if self.lvm.watching else self.key_of("pause")

    def _alert_keys(self) -> AlertKeys:
        if not self.lvm.frame.alerts and not self.query_one(AlertBanner).display:
            return AlertKeys()
        names = ("acknowledge", "acknowledge_all", "next_alert")
        return AlertKeys(*(self.key_of(name) for name in names))

    def _keys(self, node: DOMNode) -> tuple[Key, ...]:
        """Those of a screen or of the app that the last line shows."""
        keys: dict[str, Key] = {}
        for entry in self._meaning:
            binding = entry.binding
            words = binding.description.lower()
            if binding.id in STEERING:
                frame = self.lvm.frame
                words = "" if frame.watching else steering_words(frame, binding.id or "")
            if entry.node is node and binding.show and entry.enabled and words:
                display = self.app.get_key_display(binding)
                where = "app" if node is self.app else "screen"
                key = Key(display, words, f"{where}.{binding.action}")
                keys.setdefault(binding.action, key)  # an action may have several keys
        known = [each.action for each in type(node).BINDINGS if isinstance(each, Binding)]
        order = {action: at for at, action in enumerate(known)}  # a changed key keeps its place
        return tuple(keys[action] for action in sorted(keys, key=lambda a: order.get(a, 99)))

    @on(Resize)
    def note_size(self, event: Resize) -> None:
        self.set_class(event.size.width < CRAMPED[0], "-cramped")
        self.set_class(event.size.height < CRAMPED[1], "-flat")
        self.query_one(TooSmall).show(event.size)

    def on_mount(self) -> None:
        self.receive(self.lvm.frame)

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self.receive(self.lvm.frame)
