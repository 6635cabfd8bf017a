"""One of a few, all of them in sight: `● transformer  ○ gru  ○ lstm  ○ amn`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """←, → and space choose; so does a click."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose(-1)", "Before", show=False),
        Binding("right,space", "choose(1)", "Next", show=False),
    ]

    value: reactive[str] = reactive("")

    @dataclass
    class Changed(Message):
        choice: Choice
        value: str

        @property
        def control(self) -> Choice:
            return self.choice

    def __init__(
        self,
        options: Sequence[str],
        value: str,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        self.set_reactive(Choice.value, value)

    def watch_value(self, value: str) -> None:
        self.post_message(self.Changed(self, value))

    def action_choose(self, by: int) -> None:
        at = self.options.index(self.value) if self.value in self.options else 0
        self.value = self.options[(at + by) % len(self.options)]

    def action_pick(self, at: int) -> None:
        self.focus()
        self.value = self.options[at]

    def get_content_height(self, *_: object) -> int:
        return 1

    def render(self) -> Content:
        parts = []
        for at, option in enumerate(self.options):
            chosen = option == self.value
            style = "bold" if chosen else "$dim"
            if chosen and self.has_focus:
                style = "bold reverse"
            click = "" if self.is_disabled else f" @click=pick({at})"
            parts.append(Content.assemble((f" {'●' if chosen else '○'} {option} ", style + click)))
        return Content(" ").join(parts)
