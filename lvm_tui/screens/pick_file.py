"""The dialog that asks for a data file: those of the project, or any path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option


class PickFile(ModalScreen[Path | None]):
    """Its result is a path, relative to the project where it lies in it, or None."""

    CSS_PATH = "../styles/pick_file.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("down", "move(1)", "Down", show=False, priority=True),
        Binding("up", "move(-1)", "Up", show=False, priority=True),
    ]

    def __init__(self, root: Path, find: Callable[[Path], Sequence[Path]]) -> None:
        """find: the files that are offered; called in a thread."""
        super().__init__()
        self._root = root
        self._find = find
        self._files: list[Path] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="pick") as pick:
            pick.border_title = "Diagnose a data file"
            pick.border_subtitle = "↑ ↓ choose   enter diagnoses   esc leaves"
            yield Input(placeholder="a part of its name, or any path", compact=True, id="path")
            yield OptionList(id="files", compact=True)
            yield Static("looking for .npz files …", id="said")

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._look()

    @work(thread=True)
    def _look(self) -> None:
        """In a thread: the disk may be slow."""
        files = list(self._find(self._root))
        self.app.call_from_thread(self._found, files)

    def _found(self, files: list[Path]) -> None:
        self._files = files
        self._offer(self.query_one(Input).value)

    def on_input_changed(self, message: Input.Changed) -> None:
        self._offer(message.value)

    def _offer(self, words: str) -> None:
        if self._files is None:
            return
        wanted = words.lower().split()
        fitting = [f for f in self._files if all(word in str(f).lower() for word in wanted)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(_line(self._root, f), id=str(f)) for f in fitting])
        if fitting:
            options.highlighted = 0
        count = f"{len(fitting)} of {len(self._files)} .npz files here"
        none = "no such file here: enter takes it as a path" if words else "no .npz file here"
        self.query_one("#said", Static).update(count if fitting else none)

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        options = self.query_one(OptionList)
        typed = message.value.strip()
        if options.highlighted is not None and options.option_count:
            self.dismiss(Path(str(options.get_option_at_index(options.highlighted).id)))
        elif typed:
            self.dismiss(Path(typed))
        else:
            self.app.bell()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(Path(str(message.option.id)))

    def action_leave(self) -> None:
        self.dismiss(None)


def _line(root: Path, file: Path) -> str:
    try:
        size = (root / file).stat().st_size
    except OSError:  # gone meanwhile, or not to be read
        return str(file)
    return f"{file}  {size / 1e6:.1f} MB"
