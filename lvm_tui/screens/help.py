"""`?`: what the screen at hand shows, and every key that works on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Markdown, Static


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
            if self._text:
                yield Markdown(self._text)
            yield Static(
                Content("\n").join(
                    [
                        Content.assemble((f"{key:>10}  ", "$text-primary bold"), words)
                        for key, words in self._keys
                    ]
                )
            )


def keys_of(bindings: Iterable[Binding], display: dict[str, str]) -> list[tuple[str, str]]:
    """Key and words of each binding that has words, in order, without repetition."""
    rows: dict[str, tuple[str, str]] = {}
    for binding in bindings:
        if binding.description and not binding.system:
            rows.setdefault(binding.action, (display[binding.key], binding.description))
    return list(rows.values())
