"""The command palette: every action that has a key, of every screen, by its words."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.screen import Screen

from lvm_tui.modes import MODES, Mode


def commands(app: App[Any], screen: Screen[Any]) -> Iterable[SystemCommand]:
    """Actions of the screen at hand, then those of the app, then those of the other screens, which
    are shown first; each once, with its key."""
    seen: set[str] = set()
    for entry in screen.active_bindings.values():
        binding = entry.binding
        if binding.description and not binding.system and binding.action not in seen:
            seen.add(binding.action)
            yield SystemCommand(
                binding.description,
                f"key {app.get_key_display(binding)}",
                partial(app.run_action, binding.action, entry.node),
            )
    for mode in MODES:
        if mode.name != app.current_mode:
            yield from _elsewhere(app, mode)


def _elsewhere(app: App[Any], mode: Mode) -> Iterable[SystemCommand]:
    seen: set[str] = set()
    for binding in mode.kind().BINDINGS:
        if not isinstance(binding, Binding) or not (binding.description and binding.id):
            continue
        if binding.action not in seen:
            seen.add(binding.action)
            yield SystemCommand(
                f"{mode.label}: {binding.description}",
                f"screen {mode.key}, key {app.get_key_display(binding)}",
                partial(_run_there, app, mode.name, binding.action),
            )


async def _run_there(app: App[Any], mode: str, action: str) -> None:
    await app.switch_mode(mode)
    await app.run_action(action, app.screen)
