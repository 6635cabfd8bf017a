"""The last question before production changes: exactly what will, and which service restarts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from lvm.errors import LvmError
from lvm.promotion.planning import Plan
from lvm_tui.widgets.choice import Choice
from lvm_tui.widgets.text import lines


@dataclass(frozen=True, slots=True)
class Confirmed:
    name: str
    reason: str
    """Of the override; "" without one."""


class ConfirmChange(ModalScreen[Confirmed | None]):
    """Its result is None when it was left. With one name there is nothing to choose."""

    CSS_PATH = "../styles/promote_dialog.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("y", "go", "Go on", show=False),
        Binding("n", "leave", "Leave it", show=False),
        Binding("tab", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        title: str,
        verb: str,
        file: str,
        names: Sequence[str],
        plan: Callable[[str], Plan],
        *,
        about: str = "",
        override: bool = False,
    ) -> None:
        """plan: of a name; may take a second, raises LvmError. about: what happens before the
        change. override: a reason must be typed."""
        super().__init__()
        self._title, self._verb, self._file = title, verb, file
        self._names, self._plan = tuple(names), plan
        self._about, self._override = about, override
        self._possible = False

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._title
            yield Static(Content.assemble(("file  ", "$dim"), self._file))
            with Horizontal(id="as"):
                yield Static(Content.styled("as    ", "$dim"), id="as-label")
                choice = Choice(self._names, self._names[0], id="name")
                choice.disabled = len(self._names) == 1
                yield choice
            yield Static(Content.styled("looking …", "$dim"), id="plan")
            yield Static(Content.styled(self._about, "$dim"), id="about")
            reason = Input(id="reason", placeholder="why it may go live all the same", compact=True)
            reason.display = self._override
            yield reason
            with Horizontal(id="answers"):
                go = "enter" if self._override else "y"
                yield _button(go, self._verb, "go", "warning")
                yield _button("esc" if self._override else "n", "leave it", "leave", "default")

    def on_mount(self) -> None:
        self.query_one("#reason" if self._override else "#go").focus()
        self._look(self._names[0])

    def on_choice_changed(self, message: Choice.Changed) -> None:
        self._look(message.value)

    @work(thread=True, exclusive=True)
    def _look(self, name: str) -> None:
        try:
            made = self._plan(name)
        except LvmError as error:
            self.app.call_from_thread(self._impossible, name, error)
        else:
            self.app.call_from_thread(self._planned, name, made)

    def _planned(self, name: str, made: Plan) -> None:
        if name == self._chosen:
            self._possible = True
            self.query_one("#plan", Static).update(_drawn(made))

    def _impossible(self, name: str, error: LvmError) -> None:
        if name == self._chosen:
            self._possible = False
            words = f"✗ {error.what}" + (f"\n  → {error.fix}" if error.fix else "")
            self.query_one("#plan", Static).update(Content.styled(words, "$text-error"))

    @property
    def _chosen(self) -> str:
        return self.query_one("#name", Choice).value

    def action_go(self) -> None:
        reason = self.query_one("#reason", Input).value.strip()
        if not self._possible or (self._override and not reason):
            self.app.bell()
            return
        self.dismiss(Confirmed(self._chosen, reason))

    def action_leave(self) -> None:
        self.dismiss(None)

    def on_input_submitted(self) -> None:
        self.action_go()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "go":
            self.action_go()
        else:
            self.action_leave()


def _button(key: str, words: str, name: str, style: str) -> Button:
    label = Content.assemble((f"[{key}]", "bold"), f" {words}")
    return Button(label, variant=style, id=name, compact=True)  # type: ignore[arg-type]


def _drawn(made: Plan) -> Content:
    rows = [Content.styled("This will change on disk:", "bold")]
    for each in made.changes:
        rows.append(Content.assemble("  ", (each.path, "bold")))
        rows.append(Content.assemble(("    now   ", "$dim"), each.before))
        rows.append(Content.assemble(("    then  ", "$dim"), each.after))
    tone = "$text-warning" if made.restart else "$dim"
    rows.append(Content.styled(f"  {made.service}", tone))
    rows += [Content.styled(f"  ▲ {note}", "$text-warning") for note in made.notes]
    return lines(rows)
