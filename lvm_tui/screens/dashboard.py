"""Mode 1: curves, gates, alerts, log and queue of the run that trains."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import MouseScrollDown, MouseScrollUp
from textual.widgets import ContentSwitcher, Static

from lvm.errors import LvmError
from lvm_tui.export import export
from lvm_tui.live import whole_log
from lvm_tui.messages import Exported, Problem
from lvm_tui.screens.base import FrameScreen
from lvm_tui.state.curves import SMOOTHING
from lvm_tui.state.views import Frame, RunView
from lvm_tui.widgets.log_tail import LogTail
from lvm_tui.widgets.loss_chart import LineChart, Look, plot_of
from lvm_tui.widgets.preparation import TaskList
from lvm_tui.widgets.quality import QualityLine, QualityPanel
from lvm_tui.widgets.queue_strip import QueueStrip
from lvm_tui.widgets.scoreboard import Scoreboard
from lvm_tui.widgets.summary import Summary

WELCOME = """\
[b]Nothing is queued here yet.[/b]

  Say in [b]lvm.toml[/b] where the data is   [dim]lvm init writes one[/dim]
  Queue models with [b]2[/b]                [dim]or lvm queue all[/dim]
  Or see it all on real text          [dim]lvm-tui demo[/dim]

This screen follows whatever is queued, from wherever it is queued.
"""


HELP = """\
[b]5CAT gates[/b]  ✓ passed, ✗ not, – not measured; the need stands beside each number
  [b]A[/b] offset     cosine with the next chunk, and its margin over all other chunks
  [b]B[/b] retrieval  rank of the true next chunk among those of its article
  [b]C[/b] ablations  change of cosine when the context is spoilt: order must matter
  [b]D[/b] rollout    cosine when predictions are fed back
  [b]E[/b] bins       VAL and OOD alike on equally coherent contexts
[b]offsets[/b]     \\[+1] is the chunk to predict; a peak at 0 or before is backward bias
[b]data[/b]        must reach coherence .40, signal +.08, and rise with position
[b]alerts[/b]      stay until acknowledged, from anywhere, and in the log for good
[b]smoothing[/b]   debiased moving average; no spike is lost, whatever the zoom
[b]export[/b]      batches.csv, epochs.csv, run.json, dashboard.svg in the run's exports/\
"""


class Dashboard(FrameScreen):
    TITLE = "Dashboard"
    HELP_TEXT = HELP

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "log_scale", "Log scale", id="log_scale"),
        Binding("left_square_bracket", "smooth(-1)", "Smooth", key_display="[ ]", id="less_smooth"),
        Binding("right_square_bracket", "smooth(1)", "Smoother", show=False, id="more_smooth"),
        Binding("plus,equals_sign", "zoom(1)", "Zoom", key_display="+ -", id="zoom_in"),
        Binding("minus", "zoom(-1)", "Zoom out", show=False, id="zoom_out"),
        Binding("left", "pan(-1)", "Pan", key_display="← →", id="pan_left"),
        Binding("right", "pan(1)", "Pan right", show=False, id="pan_right"),
        Binding("0", "reset_view", "Whole run", show=False, id="whole_run"),
        Binding("e", "export", "Export", show=False, id="export"),
        Binding("c", "charts", "Charts or summary", show=False, id="charts"),
    ]

    look = Look()
    _charts_wanted = False

    def compose_body(self) -> ComposeResult:
        with ContentSwitcher(initial="welcome", id="body"):
            yield Static(WELCOME, id="welcome")
            with VerticalScroll(id="preparation", can_focus=False):
                yield TaskList(id="tasks")
                yield QualityPanel(id="quality")
            with Horizontal(id="training"):
                with Vertical(id="charts"):
                    yield LineChart(id="loss")
                    yield LineChart(id="cosine")
                    yield QualityLine(id="data")
                yield Scoreboard(id="scoreboard")
            yield Summary(id="summary")
        yield LogTail(id="log")
        yield QueueStrip(id="queue")

    def show_frame(self, frame: Frame) -> None:
        body = self.query_one(ContentSwitcher)
        body.current = self._stage(frame)
        self.query_one(LogTail).show_frame(frame, self.lvm.zone)
        self.query_one(QueueStrip).show_frame(frame)
        if body.current == "preparation":
            self.query_one(TaskList).show(frame.workspace.tasks)
            self.query_one(QualityPanel).show(frame.run.data if frame.run else None)
        elif body.current == "training":
            self.query_one(Scoreboard).show_frame(frame)
            self.query_one(QualityLine).show(frame.run.data if frame.run else None)
            self._show_charts(frame)
        elif body.current == "summary":
            self.query_one(Summary).show_frame(frame)

    def _stage(self, frame: Frame) -> str:
        """Which of the four bodies fits what is going on."""
        run, tasks = frame.run, frame.workspace.tasks
        if run is None:
            return "preparation" if tasks else "welcome"
        if run.phase == "finished":
            if frame.runner.alive and any(task.state == "running" for task in tasks):
                return "preparation"  # of the next one
            if frame.workspace.queue_finished and frame.jobs and not frame.pinned:
                return "training" if self._charts_wanted else "summary"
        # the data and its quality, until the first batch, or for good if it was refused
        return "preparation" if run.step == 0 else "training"

    def _show_charts(self, frame: Frame) -> None:
        if frame.run is not None:
            self.query_one("#loss", LineChart).show(plot_of(frame.run, "loss", self.look))
            self.query_one("#cosine", LineChart).show(plot_of(frame.run, "cosine", self.look))

    def _look(self, look: Look) -> None:
        self.look = look
        self._show_charts(self.lvm.frame)

    def action_log_scale(self) -> None:
        self._look(replace(self.look, log=not self.look.log))

    def action_smooth(self, by: int) -> None:
        level = min(max(self.look.level + by, 0), len(SMOOTHING) - 1)
        self._look(replace(self.look, level=level))

    def action_zoom(self, by: int) -> None:
        view = self.look.viewport
        self._look(replace(self.look, viewport=view.zoomed_in() if by > 0 else view.zoomed_out()))

    def action_pan(self, by: int) -> None:
        view = self.look.viewport
        self._look(replace(self.look, viewport=view.right() if by > 0 else view.left()))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        if isinstance(event.widget, LineChart):
            self.action_zoom(1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        if isinstance(event.widget, LineChart):
            self.action_zoom(-1)

    def action_reset_view(self) -> None:
        self._look(Look(log=self.look.log))

    def action_export(self) -> None:
        run = self.lvm.frame.run
        if run is None:
            self.notify("no run to export", severity="warning")
        else:
            self._export(run, self.app.export_screenshot(title=run.run))

    @work(thread=True)
    def _export(self, run: RunView, svg: str) -> None:
        """In a thread: the log may be long and the disk slow."""
        desk = self.lvm.workspace
        try:
            paths = export(desk.folder(run.run), run, whole_log(desk.run_log(run.run)), svg)
        except (LvmError, OSError) as error:
            self.app.post_message(Problem.of("Nothing was exported", error))
            return
        self.app.post_message(Exported(str(paths[0].parent), tuple(path.name for path in paths)))

    def action_charts(self) -> None:
        self._charts_wanted = not self._charts_wanted
        self.show_frame(self.lvm.frame)
