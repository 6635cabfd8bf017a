"""What happens before the first batch: tasks with their progress."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size

from lvm_tui.numbers import duration
from lvm_tui.state.views import Task
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import bar, clipped, lines

_SIGNS = {
    "running": ("▶", "$text-primary bold"),
    "done": ("✓", "$text-success"),
    "failed": ("✗", "$text-error bold"),
}


class TaskList(Board[tuple[Task, ...]]):
    def draw(self, slice_: tuple[Task, ...], size: Size) -> Content:
        rows: list[Content] = []
        for task in slice_:
            rows += _task(task, size.width)
        return lines(clipped(row, size.width) for row in rows)


def _task(task: Task, width: int) -> list[Content]:
    sign, style = _SIGNS[task.state]
    first = Content.assemble((f"{sign} ", style), (task.title, "bold"))
    if task.state == "running":
        if not task.total:
            return [first + Content.styled(" …", "$dim")]
        share = task.done / task.total
        progress = bar(share, min(40, width - 30)) + Content(f" {share:4.0%}  {task.note}")
        return [first, Content("  ") + progress]
    note = f"  {task.note}" if task.note else ""
    rows = [first + Content.styled(f"  {duration(task.seconds)}{note}", "$dim")]
    if task.state == "failed" and note:
        return [first, *Content.styled(f"  {task.note}", "$text-error").wrap(max(width, 20))]
    return rows
