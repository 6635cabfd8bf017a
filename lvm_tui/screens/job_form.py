"""The dialog of one job: which model, with which settings, on which data; every error at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from lvm.errors import LvmError, SettingsError
from lvm.settings import DataSettings, Job
from lvm_tui.state.job_fields import (
    FIELDS,
    KINDS,
    Field,
    begins_anew,
    kind_of,
    reason,
    text_of,
    with_paths,
    with_text,
)
from lvm_tui.widgets.choice import Choice

KIND = "data_kind"


@dataclass(frozen=True, slots=True)
class Begun:
    """The run that a job goes on with."""

    run: str = ""
    """"": none was begun."""
    may_begin_anew: bool = False
    """What makes it another run may be changed: then it is trained from the beginning."""


class JobForm(ModalScreen[Job | None]):
    """Its result is the job as it was edited, or None."""

    CSS_PATH = "../styles/job_form.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("up", "app.focus_previous", "Up", show=False),
        Binding("down", "app.focus_next", "Down", show=False),
        Binding("enter,ctrl+s", "save", "Save"),
    ]

    def __init__(
        self,
        title: str,
        save: str,
        job: Job,
        *,
        check: Callable[[DataSettings], None],
        begun: Begun | None = None,
    ) -> None:
        """save: what the button says. check: raises LvmError for data that cannot be used; also
        called in a thread, while somebody types."""
        super().__init__()
        self._title = title
        self._save = save
        self._job = job
        self._check_data = check
        self._begun = begun or Begun()
        self._errors: dict[str, str] = {}
        self._data_error = ""
        self._first: tuple[str, ...] = ()
        """All texts as they were."""
        self._warned: tuple[str, ...] = ()
        """All texts of which it was said that they would be lost."""

    def compose(self) -> ComposeResult:
        kind = kind_of(self._job.data)
        with Vertical(id="form") as form:
            form.border_title = self._title
            form.border_subtitle = "↑ ↓ field   ← → choose   enter saves   esc leaves"
            for field in FIELDS:
                with Horizontal(classes="field"):
                    yield Static(field.label, classes="label", id=f"label-{field.name}")
                    yield self._control(field)
                    yield Static(classes="hint", id=f"hint-{field.name}")
            with Horizontal(classes="field"):
                yield Static("data", classes="label", id=f"label-{KIND}")
                yield Choice(tuple(KINDS), kind, id=KIND)
            for name in _paths():
                with Horizontal(classes="field path", id=f"row-{name}"):
                    yield Static(f"  {name}", classes="label", id=f"label-{name}")
                    yield Input(getattr(self._job.data, name), id=name, compact=True)
            yield Static(id="about")
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
        control.disabled = self._is_fixed(field)
        return control

    def _is_fixed(self, field: Field) -> bool:
        return field.of_run and bool(self._begun.run) and not self._begun.may_begin_anew

    def on_mount(self) -> None:
        for field in FIELDS:
            self._say(field)
        self._first = self._texts()
        self._show_paths()
        self._look_at_data(self._data())
        first = next(f.name for f in FIELDS if not self.query_one(f"#{f.name}").disabled)
        self.query_one(f"#{first}").focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for label in self.query(".label"):
            label.set_class(label.id == f"label-{event.widget.id}", "-focused")

    def on_input_changed(self, message: Input.Changed) -> None:
        self._changed(message.input.id or "")

    def on_choice_changed(self, message: Choice.Changed) -> None:
        self._changed(message.choice.id or "")

    def _changed(self, name: str) -> None:
        if name == KIND:
            self._show_paths()
        if name == KIND or name in _paths():
            self._look_at_data(self._data())
        else:
            self._check(next(field for field in FIELDS if field.name == name))
        self._tell_about()

    # -------------------------------------------------------------- settings

    def _check(self, field: Field) -> None:
        try:
            with_text(self._job.train, field.name, self._text(field.name))
            self._errors.pop(field.name, None)
        except SettingsError as error:
            self._errors[field.name] = reason(error)
        self._say(field)

    def _text(self, name: str) -> str:
        control = self.query_one(f"#{name}")
        assert isinstance(control, Choice | Input)
        return control.value

    def _texts(self) -> tuple[str, ...]:
        names = (*(field.name for field in FIELDS), KIND, *_paths())
        return tuple(self._text(name) for name in names)

    def _say(self, field: Field) -> None:
        """The error of a field, or what it is about."""
        hint = self.query_one(f"#hint-{field.name}", Static)
        error = self._errors.get(field.name)
        if error is not None:
            hint.update(Content.styled(f"✗ {error}", "$text-error"))
        elif self._is_fixed(field):
            hint.update(Content.styled("set by its run", "$dim"))
        else:
            hint.update(Content.styled(_hint(field, self._text(field.name)), "$dim"))

    # -------------------------------------------------------------- data

    def _data(self) -> DataSettings:
        paths = {name: self._text(name) for name in _paths()}
        return with_paths(self._job.data, self._text(KIND), paths)

    def _show_paths(self) -> None:
        shown = KINDS[self._text(KIND)]
        for name in _paths():
            self.query_one(f"#row-{name}").display = name in shown

    @work(thread=True, exclusive=True, group="data")
    def _look_at_data(self, data: DataSettings) -> None:
        """In a thread: the disk may be slow."""
        error = self._found_wrong(data)
        self.app.call_from_thread(self._looked, data, error)

    def _found_wrong(self, data: DataSettings) -> str:
        try:
            self._check_data(data)
        except LvmError as error:
            return str(error)
        return ""

    def _looked(self, data: DataSettings, error: str) -> None:
        if self.is_attached and data == self._data():
            self._data_error = error
            self._tell_about()

    # -------------------------------------------------------------- what it comes to

    def _edited(self) -> Job | None:
        """None while a field is wrong."""
        if self._errors:
            return None
        train = self._job.train
        for field in FIELDS:
            train = with_text(train, field.name, self._text(field.name))
        return Job(train=train, data=self._data())

    def _tell_about(self) -> None:
        lines = []
        if self._warned == self._texts():
            lines.append(Content.styled("changed: esc again discards it", "$text-warning bold"))
        if self._data_error:
            lines.append(Content.styled(f"✗ {self._data_error}", "$text-error"))
        if run := self._begun.run:
            edited = self._edited()
            if edited is not None and self._begun.may_begin_anew and begins_anew(self._job, edited):
                lines.append(Content.assemble("trained from the beginning; stays: ", (run, "$dim")))
            else:
                lines.append(Content.assemble(("goes on with ", "$dim"), run))
        self.query_one("#about", Static).update(Content("\n").join(lines))

    def on_input_submitted(self) -> None:
        self.action_save()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "save":
            self.action_save()
        else:
            self.action_leave()

    def action_save(self) -> None:
        """Give the job back, unless a field is wrong: then that field gets the focus."""
        job = self._edited()
        if job is None:
            self._refuse(next(field.name for field in FIELDS if field.name in self._errors))
            return
        self._data_error = self._found_wrong(job.data)
        if self._data_error:
            self._tell_about()
            self._refuse(KINDS[self._text(KIND)][0])
            return
        self.dismiss(job)

    def _refuse(self, wrong: str) -> None:
        self.query_one(f"#{wrong}").focus()
        self.app.bell()

    def action_leave(self) -> None:
        """At once if nothing was changed; else the second time."""
        if self._texts() in (self._first, self._warned):
            self.dismiss(None)
            return
        self._warned = self._texts()
        self._tell_about()


def _paths() -> Iterator[str]:
    return (name for names in KINDS.values() for name in names)


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
