"""`?`: what the screen at hand shows, and every key that works on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Static


class Help(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("escape,question_mark,q", "dismiss", "Close")]

    def __init__(self, title: str, text: str, keys: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._keys = list(keys)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = "esc closes"
            yield Static(
                Content("\n").join(
                    [
                        Content.assemble((f"{key:>10}  ", "$text-primary bold"), words)
                        for key, words in self._keys
                    ]
                )
            )
            if self._text:
                yield Static(self._text, id="words")


def keys_of(screen: Screen[Any]) -> list[tuple[str, str]]:
    """Keys and words of every action of a screen and of the app, Textual's own left out."""
    app = screen.app
    textual = {binding.action for binding in _of(Screen)} | {binding.action for binding in _of(App)}
    rows: dict[str, tuple[list[str], str]] = {}
    for entry in screen.active_bindings.values():
        binding = entry.binding
        if entry.node in (screen, app) and binding.description and binding.action not in textual:
            keys, _ = rows.setdefault(binding.action, ([], binding.description))
            display = app.get_key_display(binding)
            if display not in keys:
                keys.append(display)
    together = {
        part for keys, _ in rows.values() for key in keys if " " in key for part in key.split()
    }
    return [
        (" ".join(sorted(keys, key=len)), words)
        for keys, words in rows.values()
        if not together.issuperset(keys)  # "[ ]" stands for "]" as well
    ]


def _of(kind: type[DOMNode]) -> list[Binding]:
    return list(Binding.make_bindings(kind.BINDINGS))
