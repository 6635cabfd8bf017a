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

from lvm_tui.widgets.explained import Explained

WIDTH = 90
"""Cells of the dialog, as in app.tcss, where there is room for it."""


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
            yield Static(Content("\n").join(_table(self._keys, self.app.size.width)))
            if self._text:
                yield Explained(self._text, id="words")


def _table(keys: list[tuple[str, str]], width: int) -> list[Content]:
    """The keys with their words; side by side where two columns fit."""
    cells = [Content.assemble((f"{key:>10}  ", "$text-primary bold"), words) for key, words in keys]
    column = max(cell.cell_length for cell in cells) + 3
    if 2 * column > min(width * 9 // 10, WIDTH) - 6:
        return cells
    half = -(-len(cells) // 2)
    right = [*cells[half:], Content("")]
    return [
        left + Content(" " * (column - left.cell_length)) + beside
        for left, beside in zip(cells[:half], right, strict=False)
    ]


def keys_of(screen: Screen[Any]) -> list[tuple[str, str]]:
    """Keys and words of every action of a screen and of the app, Textual's own left out."""
    app = screen.app
    textual = {binding.action for binding in _of(Screen)} | {binding.action for binding in _of(App)}
    rows: dict[str, tuple[list[str], str]] = {}
    for entry in screen.active_bindings.values():
        binding = entry.binding
        ours = entry.node in (screen, app) or bool(binding.id)
        if ours and binding.description and binding.action not in textual:
            keys, _ = rows.setdefault(binding.action, ([], binding.description))
            display = app.get_key_display(binding)
            if display not in keys:
                keys.append(display)
    together = {
        part for keys, _ in rows.values() for key in keys if " " in key for part in key.split()
    }
    return [
        (" ".join(sorted(keys, key=len)), words[:1].upper() + words[1:])
        for keys, words in rows.values()
        if not together.issuperset(keys)  # "[ ]" stands for "]" as well
    ]


def _of(kind: type[DOMNode]) -> list[Binding]:
    return list(Binding.make_bindings(kind.BINDINGS))
