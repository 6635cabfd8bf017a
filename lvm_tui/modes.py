"""The full screens, one key each. A new one is one line here and one class in its own file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from textual.binding import Binding

if TYPE_CHECKING:
    from lvm_tui.screens.base import FrameScreen


@dataclass(frozen=True, slots=True)
class Mode:
    key: str
    name: str
    label: str
    short: str
    """The label where there is little room."""
    where: str
    """module:class below lvm_tui.screens; imported when first shown."""

    def kind(self) -> type[FrameScreen]:
        module, _, name = self.where.partition(":")
        return cast("type[FrameScreen]", getattr(import_module(f"lvm_tui.screens.{module}"), name))

    def screen(self) -> FrameScreen:
        return self.kind()()


MODES = (
    Mode("1", "dashboard", "Dashboard", "Dash", "dashboard:Dashboard"),
    Mode("2", "queue", "Queue", "Queue", "queue:Queue"),
    Mode("3", "promote", "Promote", "Prod", "promote:Promote"),
    Mode("4", "services", "Services", "Chat", "services:Services"),
    Mode("5", "data", "Data", "Data", "data:DataScreen"),
    Mode("6", "runs", "Runs", "Runs", "runs:Runs"),
)


def bindings() -> list[Binding]:
    """The keys that show the screens."""
    return [
        Binding(mode.key, f"switch_mode('{mode.name}')", mode.label, show=False, id=mode.name)
        for mode in MODES
    ]


def factories() -> dict[str, Callable[[], FrameScreen]]:
    """For `App.MODES`."""
    return {mode.name: mode.screen for mode in MODES}
