"""The queue in one line: what trained, what trains, what comes."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size

from lvm_tui.state.views import Frame, JobRow, RunnerView
from lvm_tui.widgets.board import Board

SIGNS = {
    "queued": ("·", "$dim"),
    "running": ("▶", "$text-primary bold"),
    "paused": ("‖", "$text-warning bold"),
    "done": ("✓", "$text-success"),
    "failed": ("✗", "$text-error bold"),
    "stopped": ("■", "$text-warning"),
    "cancelled": ("■", "$dim"),
}
"""Of each state of a job: its sign and style."""


class QueueStrip(Board[tuple[tuple[JobRow, ...], RunnerView, bool, str]]):
    def show_frame(self, frame: Frame, load: str = "") -> None:
        """load: how busy the machine is, where nothing else says it."""
        self.show((frame.jobs, frame.runner, frame.watching, load))

    def draw(self, slice_: tuple[tuple[JobRow, ...], RunnerView, bool, str], size: Size) -> Content:
        jobs, runner, watching, load = slice_
        right = Content.styled(_who(runner, watching), "$dim")
        room = size.width - right.cell_length - 2
        if load and 7 + _strip(jobs).cell_length + len(load) + 3 <= room:
            right = Content.styled(f"{load} · ", "$dim") + right
            room -= len(load) + 3
        left = Content.styled("queue  ", "$dim")
        if not jobs:
            left += Content.styled("empty", "$dim")
        current = next((i for i, job in enumerate(jobs) if job.state in ("running", "paused")), 0)
        start = 0
        strip = _strip(jobs)
        while strip.cell_length > room - left.cell_length and start < current:
            start += 1
            strip = Content.styled("… ", "$dim") + _strip(jobs[start:])
        line = (left + strip).truncate(room, ellipsis=True)
        return line + Content(" " * max(room - line.cell_length + 2, 0)) + right


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


def _who(runner: RunnerView, watching: bool) -> str:
    if watching:
        return "look only"
    if runner.here:
        return "trains here"
    if runner.alive:
        return f"attached to {runner.host or 'pid'} {runner.pid}"
    return "nothing trains"
