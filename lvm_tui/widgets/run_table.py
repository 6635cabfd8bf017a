"""The list of runs as rows, and what is said of the one under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from textual.content import Content
from textual.geometry import Size

from lvm.runs.folder import RunSummary
from lvm_tui.numbers import fixed, signed
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.row_table import Cell, Column, Row
from lvm_tui.widgets.text import spread

STATES = {
    "running": ("▶", "current"),
    "paused": ("‖", "notice"),
    "completed": ("✓", "good"),
    "early_stopped": ("✓", "good"),
    "stopped": ("■", "notice"),
    "cancelled": ("■", "dim"),
    "failed": ("✗", "bad"),
    "interrupted": ("?", "notice"),
    "unknown": ("·", "dim"),
}
"""Of each state of a run: its sign and tone."""

_PADDING = 2
"""Cells that a DataTable puts around each column."""

_WIDE = 108
"""Cells from which on there is room for words and more numbers."""


def layout(width: int) -> tuple[Column, ...]:
    """The columns of a table of so many cells; the name takes what is left."""
    wide = width >= _WIDE
    numbers = [
        Column("epochs", 6, right=True),
        Column("val cos", 7, right=True),
        Column("margin", 6, right=True),
    ]
    if wide:
        numbers += [Column("OOD", 6, right=True), Column("score", 6, right=True)]
    numbers.append(Column("gates", 6))
    mark = Column("", 3) if not wide else Column("", 1)
    state = [Column("state", 15)] if wide else []
    started = [Column("began", 11)] if wide else []
    others = [mark, *state, *started, *numbers]
    used = sum(column.width + _PADDING for column in others)
    return (mark, Column("run", max(width - used - _PADDING, 12)), *state, *started, *numbers)


def table_row(run: RunSummary, number: int | None, width: int, zone: tzinfo | None) -> Row:
    """number: its number among those that are compared."""
    sign, tone = STATES.get(run.state, ("?", ""))
    mark = str(number) if number is not None else " "
    asked = f"/{run.epochs_asked}" if run.epochs_asked else ""
    gates = "–" if run.gates is None else f"{run.gates}/5" + (" ✓" if run.ready else "")
    numbers = [
        Cell(f"{run.epochs}{asked}"),
        Cell(fixed(run.best_val_cosine)),
        Cell(signed(run.val_margin), "bad" if (run.val_margin or 0.0) < 0 else ""),
    ]
    cells = [Cell(f"{mark} {sign}" if width < _WIDE else mark, "strong"), Cell(run.name)]
    if width >= _WIDE:
        cells.append(Cell(f"{sign} {run.state.replace('_', ' ')}", tone))
        cells.append(Cell(_began(run, zone), "dim"))
        numbers += [Cell(signed(run.ood_margin)), Cell(signed(run.score))]
    cells += [*numbers, Cell(gates, "good" if run.ready else "")]
    return Row(run.name, tuple(cells))


def _began(run: RunSummary, zone: tzinfo | None) -> str:
    if run.started is None:
        return "–"
    return datetime.fromtimestamp(run.started, zone).strftime("%m-%d %H:%M")


class RunsLine(Board[tuple[int, int, str, str, int]]):
    """How many runs, which are listed, in which order."""

    def draw(self, slice_: tuple[int, int, str, str, int], size: Size) -> Content:
        shown, total, words, sort, marked = slice_
        count = f"{total} run{'s' * (total != 1)}"
        parts = Content.assemble(("Runs  ", "bold"), count)
        if words:
            parts += Content.assemble((f", {shown} with ", "$dim"), (f"“{words}”", "bold"))
        if marked:
            parts += Content(f" · {marked} compared")
        return spread(parts, Content.styled(f"sorted by {sort}", "$dim"), size.width)


def numbers_of(marked: Sequence[str]) -> dict[str, int]:
    """Run → its number among those that are compared, from 1."""
    return {name: at for at, name in enumerate(marked, 1)}
