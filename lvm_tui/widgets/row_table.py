"""A table of rows that come anew with every frame: the cursor stays on its row, the mouse works.

Rows are plain values with a tone for each cell; only cells that changed are drawn again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.message import Message
from textual.theme import Theme
from textual.widgets import DataTable

from lvm_tui.state.wording import in_one_line
from lvm_tui.widgets.text import whole_words

TONES = ("good", "notice", "bad", "dim", "current", "strong")


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    tone: str = ""
    """One of TONES, or "" for the table's own colour. Never the only thing that says it."""


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    width: int
    right: bool = False
    """Numbers stand at the right edge."""


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    cells: tuple[Cell, ...]


class RowTable(DataTable[Text]):
    """`show_table` takes what is to be seen; `current` is the key under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=False),
        Binding("home", "scroll_top", "Top", show=False),
        Binding("end", "scroll_bottom", "Bottom", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"row-table--{tone}" for tone in TONES}

    @dataclass
    class Opened(Message):
        """Enter, or a double click, on a row."""

        table: RowTable
        key: str

        @property
        def control(self) -> RowTable:
            return self.table

    @dataclass
    class Moved(Message):
        """The cursor is on another row."""

        table: RowTable
        key: str

        @property
        def control(self) -> RowTable:
            return self.table

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", cursor_foreground_priority="renderable")
        self._layout: tuple[Column, ...] = ()
        self._shown: tuple[Row, ...] = ()

    @property
    def current(self) -> str:
        """Key of the row under the cursor; "" in an empty table."""
        at = self.cursor_row
        return self._shown[at].key if 0 <= at < len(self._shown) else ""

    def show_table(self, layout: tuple[Column, ...], rows: Sequence[Row]) -> None:
        rows = tuple(rows)
        if layout == self._layout and [r.key for r in rows] == [r.key for r in self._shown]:
            self._change(rows)
            return
        before, at = self.current, self.cursor_row
        if layout != self._layout:
            self.clear(columns=True)
            for column in layout:
                label = column.label.rjust(column.width) if column.right else column.label
                self.add_column(Text(label), width=column.width)
            self._layout = layout
        else:
            self.clear()
        self._shown = rows
        for row in rows:
            self.add_row(*self._texts(row), key=row.key)
        keys = [row.key for row in rows]
        self.move_cursor(row=keys.index(before) if before in keys else min(at, len(rows) - 1))

    def move_to(self, key: str) -> None:
        """Put the cursor on a row."""
        keys = [row.key for row in self._shown]
        if key in keys:
            self.move_cursor(row=keys.index(key))

    def _change(self, rows: tuple[Row, ...]) -> None:
        for at, (old, new) in enumerate(zip(self._shown, rows, strict=True)):
            if old != new:
                for column, text in enumerate(self._texts(new)):
                    if old.cells[column] != new.cells[column]:
                        self.update_cell_at(Coordinate(at, column), text)
        self._shown = rows

    def _texts(self, row: Row) -> list[Text]:
        return [
            self._text(cell, column) for cell, column in zip(row.cells, self._layout, strict=True)
        ]

    def _text(self, cell: Cell, column: Column) -> Text:
        words = in_one_line(cell.text)
        if cell_len(words) > column.width:
            words = f"{whole_words(words, column.width)}…"
        text = Text(words, no_wrap=True, end="")
        if column.right:
            text.align("right", column.width)
        if cell.tone:
            style = self.get_component_rich_style(f"row-table--{cell.tone}", partial=True)
            text.stylize(style)
        return text

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, _: Theme) -> None:
        """The tones have other colours; known only after the style sheets were read again."""
        self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        for at, row in enumerate(self._shown):
            for column, text in enumerate(self._texts(row)):
                self.update_cell_at(Coordinate(at, column), text)

    def on_data_table_row_highlighted(self, message: DataTable.RowHighlighted) -> None:
        message.stop()
        self.post_message(self.Moved(self, self.current))

    def on_data_table_row_selected(self, message: DataTable.RowSelected) -> None:
        message.stop()  # one click selects in a DataTable; here it only moves the cursor

    def on_click(self, event: events.Click) -> None:
        if event.chain == 2 and "row" in event.style.meta and event.style.meta["row"] >= 0:
            self.action_open()

    def action_open(self) -> None:
        if self.current:
            self.post_message(self.Opened(self, self.current))
