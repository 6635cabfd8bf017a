"""The full screens, one key each. A new one is one line here and one class in its own file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

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

    def screen(self) -> FrameScreen:
        module, _, name = self.where.partition(":")
        made = getattr(import_module(f"lvm_tui.screens.{module}"), name)
        return cast("FrameScreen", made())


MODES = (Mode("1", "dashboard", "Dashboard", "Dash", "dashboard:Dashboard"),)


def factories() -> dict[str, Callable[[], FrameScreen]]:
    """For `App.MODES`."""
    return {mode.name: mode.screen for mode in MODES}
