"""The dialog of one job: which model, with which settings; every error beside its field."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from lvm.errors import SettingsError
from lvm.settings import DataSettings, Job
from lvm_tui.state.job_fields import FIELDS, Field, reason, text_of, with_text
from lvm_tui.widgets.choice import Choice


class JobForm(ModalScreen[Job | None]):
    """Its result is the job as it was edited, or None."""

    CSS_PATH = "../styles/job_form.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("up", "app.focus_previous", "Up", show=False),
        Binding("down", "app.focus_next", "Down", show=False),
        Binding("enter,ctrl+s", "save", "Save"),
    ]

    def __init__(self, title: str, save: str, job: Job, *, run: str = "") -> None:
        """save: what the button says. run: the run that the job goes on with, or ""."""
        super().__init__()
        self._title = title
        self._save = save
        self._job = job
        self._run = run
        self._errors: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        with Vertical(id="form") as form:
            form.border_title = self._title
            form.border_subtitle = "↑ ↓ field   ← → choose   enter saves   esc leaves"
            for field in FIELDS:
                with Horizontal(classes="field"):
                    yield Static(field.label, classes="label", id=f"label-{field.name}")
                    yield self._control(field)
                    yield Static(classes="hint", id=f"hint-{field.name}")
            yield Static(_about(self._job.data, self._run), id="about")
            with Horizontal(id="answers"):
                yield Button(
                    Content.assemble(("[enter]", "bold"), f" {self._save}"),
                    variant="primary",
                    compact=True,
                    id="save",
                )
                yield Button(
                    Content.assemble(("[esc]", "bold"), " leave it"), compact=True, id="leave"
                )

    def _control(self, field: Field) -> Widget:
        value = text_of(self._job.train, field.name)
        control: Widget = (
            Choice(field.options, value, id=field.name)
            if field.options
            else Input(value, id=field.name, compact=True)
        )
        control.disabled = field.of_run and bool(self._run)
        return control

    def on_mount(self) -> None:
        for field in FIELDS:
            self._say(field)
        first = next(f.name for f in FIELDS if not self.query_one(f"#{f.name}").disabled)
        self.query_one(f"#{first}").focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for field in FIELDS:
            label = self.query_one(f"#label-{field.name}")
            label.set_class(event.widget.id == field.name, "-focused")

    def on_input_changed(self, message: Input.Changed) -> None:
        self._check(message.input.id or "")

    def on_choice_changed(self, message: Choice.Changed) -> None:
        self._check(message.choice.id or "")

    def _check(self, name: str) -> None:
        field = next(field for field in FIELDS if field.name == name)
        try:
            with_text(self._job.train, name, self._text(field))
            self._errors.pop(name, None)
        except SettingsError as error:
            self._errors[name] = reason(error)
        self._say(field)

    def _text(self, field: Field) -> str:
        if field.options:
            return self.query_one(f"#{field.name}", Choice).value
        return self.query_one(f"#{field.name}", Input).value

    def _say(self, field: Field) -> None:
        """The error of a field, or what it is about."""
        hint = self.query_one(f"#hint-{field.name}", Static)
        error = self._errors.get(field.name)
        if error is not None:
            hint.update(Content.styled(f"✗ {error}", "$text-error"))
        elif field.of_run and self._run:
            hint.update(Content.styled("set by its run", "$dim"))
        else:
            hint.update(Content.styled(_hint(field, self._text(field)), "$dim"))

    def on_input_submitted(self) -> None:
        self.action_save()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "save":
            self.action_save()
        else:
            self.action_leave()

    def action_save(self) -> None:
        """Give the job back, unless a field is wrong: then that field gets the focus."""
        if self._errors:
            wrong = next(field.name for field in FIELDS if field.name in self._errors)
            self.query_one(f"#{wrong}").focus()
            self.app.bell()
            return
        train = self._job.train
        for field in FIELDS:
            train = with_text(train, field.name, self._text(field))
        self.dismiss(Job(train=train, data=self._job.data))

    def action_leave(self) -> None:
        self.dismiss(None)


def _hint(field: Field, value: str) -> str:
    """What a field is about; of a choice, what the chosen one means."""
    return _MEANINGS.get((field.name, value), field.hint)


_MEANINGS = {
    ("precision", "fp32"): "exact, resumes bit by bit",
    ("precision", "bf16"): "faster where the device can",
    ("on_severe", "stop"): "severe backward bias ends it",
    ("on_severe", "alert"): "it goes on, with an alert",
    ("accept_bad_data", "refuse"): "no training on bad data",
    ("accept_bad_data", "accept"): "trains on it; on record",
}


def _about(data: DataSettings, run: str) -> Content:
    source = data.bank or data.train
    about = Content.assemble(("data ", "$dim"), source or "none")
    if run:
        about += Content.assemble(("\ngoes on with ", "$dim"), run)
    return about
