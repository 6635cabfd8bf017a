"""The command palette: every action that has a key, by its words."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.screen import Screen


def commands(app: App[Any], screen: Screen[Any]) -> Iterable[SystemCommand]:
    """Actions of the screen at hand, then those of the app; each once, with its key."""
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
