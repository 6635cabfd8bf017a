"""Dialogs: one question, its answers as buttons and as single keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


@dataclass(frozen=True, slots=True)
class Answer:
    key: str
    value: str
    label: str
    """Button text, without the key."""
    style: str = "default"
    """default | primary | warning | error"""


class Ask(ModalScreen[str]):
    """Asks; its result is the value of the answer, "" for Escape. The first has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "answer('')", "Back"),
        ("left", "app.focus_previous"),
        ("right", "app.focus_next"),
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
                    button = Button(f"[{answer.key}] {answer.label}", id=answer.value, compact=True)
                    button.variant = answer.style  # type: ignore[assignment]
                    yield button

    def on_mount(self) -> None:
        for answer in self._answers:
            self._bindings.bind(answer.key, f"answer({answer.value!r})", answer.label, show=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id or "")

    def action_answer(self, value: str) -> None:
        self.dismiss(value)
