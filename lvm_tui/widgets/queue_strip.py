"""The queue in one line: what trained, what trains, what comes."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size

from lvm_tui.state.stranding import BEGUN, nobody_trains, what_next
from lvm_tui.state.views import Frame, JobRow
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import clipped, spread

SIGNS = {
    "queued": ("·", "$dim"),
    "running": ("▶", "$text-primary bold"),
    "paused": ("‖", "$text-warning bold"),
    "interrupted": ("■", "$text-warning bold"),
    "done": ("✓", "$text-success"),
    "failed": ("✗", "$text-error bold"),
    "stopped": ("■", "$text-warning"),
    "cancelled": ("■", "$dim"),
}
"""Of each state of a job: its sign and style."""


class QueueStrip(Board[tuple[tuple[JobRow, ...], str, str]]):
    def show_frame(self, frame: Frame, load: str = "", key: str = "") -> None:
        """load: how busy the machine is, where nothing else says it. key: as `what_next` has it."""
        self.show((frame.jobs, _who(frame, key), load))

    def draw(self, slice_: tuple[tuple[JobRow, ...], str, str], size: Size) -> Content:
        jobs, who, load = slice_
        current = next((i for i, job in enumerate(jobs) if job.state in BEGUN), 0)
        for right in (f"{load} · {who}", who) if load else (who,):
            room = size.width - len(right) - 2
            for start in range(current + 1):
                strip = _from(jobs, start)
                if strip.cell_length <= room:
                    return spread(strip, Content.styled(right, "$dim"), size.width)
        line = clipped(_from(jobs, current), room)
        return spread(line, Content.styled(who, "$dim"), size.width)


def _from(jobs: tuple[JobRow, ...], start: int) -> Content:
    """The line without what came before `start`: jobs that have ended."""
    head = Content.styled("queue  ", "$dim")
    if not jobs:
        return head + Content.styled("empty", "$dim")
    return head + Content.styled("… " if start else "", "$dim") + _strip(jobs[start:])


def _strip(jobs: tuple[JobRow, ...]) -> Content:
    return Content("   ").join(
        [
            Content.assemble(
                (f"{SIGNS.get(job.state, ('?', ''))[0]} ", SIGNS.get(job.state, ("", ""))[1]),
                (job.model, "bold" if job.state == "running" else ""),
            )
            for job in jobs
        ]
    )


def _who(frame: Frame, key: str) -> str:
    runner = frame.runner
    if frame.watching and not what_next(frame, key):
        return "look only"
    if runner.here:
        return "trains here"
    if runner.alive:
        return f"attached to {runner.host or 'pid'} {runner.pid}"
    return nobody_trains(frame, key)
