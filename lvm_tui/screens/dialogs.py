"""Dialogs: one question, its answers as buttons and as single keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Button, Static
from textual.widgets.button import ButtonVariant


@dataclass(frozen=True, slots=True)
class Answer:
    key: str
    value: str
    label: str
    """Button text, without the key."""
    style: ButtonVariant = "default"


class Ask(ModalScreen[str]):
    """Asks; its result is the value of the answer, "" for Escape. The first has the focus."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - typed by Screen

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "answer('')", "Back"),
        ("left,up", "app.focus_previous"),
        ("right,down", "app.focus_next"),
    ]

    def __init__(self, title: str, text: str, answers: Sequence[Answer]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._answers = answers

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._title
            yield Static(self._text, id="text", markup=False)
            with Horizontal(id="answers"):
                for answer in self._answers:
                    label = Content.assemble((f"[{answer.key}]", "bold"), f" {answer.label}")
                    yield Button(label, variant=answer.style, name=answer.value, compact=True)

    def on_key(self, event: Key) -> None:
        for answer in self._answers:
            if event.key == answer.key:
                event.stop()
                self.dismiss(answer.value)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.name or "")

    def action_answer(self, value: str) -> None:
        self.dismiss(value)
