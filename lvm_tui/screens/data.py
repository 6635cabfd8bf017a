"""Mode 5: the data of the run at hand: is it worth hours of training?"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from lvm_tui.screens.base import FrameScreen
from lvm_tui.state.views import Data, Frame
from lvm_tui.widgets.data_report import DataReport
from lvm_tui.widgets.preparation import TaskList

NONE = """\
[b]No data has been looked at yet.[/b]

A run measures its data before it trains: coherence, signal, order, alignment.
Any other file, and whether the gates can be reached on it at all:

  [b]lvm diagnose FILE[/b]
"""

HELP = """\
[b]coherence[/b]  mean cosine of adjacent contexts: is it connected text at all?
[b]signal[/b]     cosine with the target of the last context minus that of the first
[b]order[/b]      the smallest step on the way from the oldest context to the last
[b]foreign[/b]    cosine of the contexts with the target of some other sequence, to compare
[b]alignment[/b]  whether stored targets are the chunks that the articles have there

For comparison: the 584k set has coherence 0.457 and signal +0.117 and trained good models;
the 340k set has 0.353 and +0.015 and gave backward bias. A run refuses data that fails,
unless its job says “bad data: accept” (queue, e).\
"""


class DataScreen(FrameScreen):
    TITLE = "Data"
    HELP_TEXT = HELP
    CSS_PATH = "../styles/data.tcss"
    AUTO_FOCUS = "#report-scroll"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll(1)", "Scroll (↑ back)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="report-scroll"):
            yield TaskList(id="data-tasks")
            yield DataReport(id="report")
            yield Static(NONE, id="none")

    def show_frame(self, frame: Frame) -> None:
        data = _data_at_hand(frame)
        tasks = frame.workspace.tasks
        report = self.query_one(DataReport)
        report.show(data)
        report.display = data is not None
        shown = self.query_one(TaskList)
        shown.show(tasks)
        shown.display = bool(tasks)
        self.query_one("#none").display = data is None

    def action_scroll(self, by: int) -> None:
        self.query_one("#report-scroll").scroll_relative(y=by, animate=False)


def _data_at_hand(frame: Frame) -> Data | None:
    """Of the run at hand, else of the last one that has loaded any."""
    if frame.run is not None and frame.run.data is not None:
        return frame.run.data
    return next((run.data for run in reversed(frame.finished) if run.data is not None), None)
