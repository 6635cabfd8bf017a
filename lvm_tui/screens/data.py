"""Mode 5: the data of the run at hand, or of any file: is it worth hours of training?"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from lvm.errors import LvmError
from lvm_tui.desk import ProjectDesk
from lvm_tui.diagnosing import diagnose, npz_files
from lvm_tui.messages import Problem
from lvm_tui.screens.base import TALL, WIDE, FrameScreen
from lvm_tui.screens.pick_file import PickFile
from lvm_tui.state.looked_at import LookedAt, at_hand, diagnosed, worth_telling
from lvm_tui.state.views import Frame, Task
from lvm_tui.widgets.data_report import DataReport
from lvm_tui.widgets.frontier_chart import FrontierChart
from lvm_tui.widgets.hints import Hint, HintLine, Hints
from lvm_tui.widgets.outlook_board import OutlookBoard
from lvm_tui.widgets.preparation import TaskList

NONE = """\
[b]No data has been looked at yet.[/b]

A run measures its data before it trains: coherence, signal, order, alignment, and what \
the gates can reach on it at all. Any other file:

  [b $accent]d[/]   diagnose a file (or [b]lvm diagnose FILE[/b] without a screen)
"""

HELP = """\
[b]coherence[/b]  mean cosine of adjacent contexts: is it connected text at all?
[b]signal[/b]     cosine with the target of the last context minus that of the first
[b]order[/b]      the smallest step on the way from the oldest context to the last
[b]foreign[/b]    cosine of the contexts with the target of some other sequence, to compare
[b]alignment[/b]  whether stored targets are the chunks that the articles have there
[b]forecast[/b]   ✓ within reach  ✗ out of reach: no linear predictor comes near  ? unknown
[b]frontier[/b]   what linear predictors can have of cosine and margin at once; a model is
           seldom above it, so a gate beyond it needs other data, not more training
[b]ridge[/b]      a model that does not beat it on VAL cosine has learned nothing worth deploying

For comparison: the 584k set has coherence 0.457 and signal +0.117 and trained good models;
the 340k set has 0.353 and +0.015 and gave backward bias. A run refuses data that fails,
unless its job says “bad data: accept” (queue, e).\
"""

VIEWS = ("quality", "forecast", "frontier")
"""One at a time where there is no room for all."""

_NEXT = {"quality": "forecast", "forecast": "frontier", "frontier": "quality"}


class DataScreen(FrameScreen):
    TITLE = "Data"
    HELP_TEXT = HELP
    CSS_PATH: ClassVar[list[str]] = ["../styles/tables.tcss", "../styles/data.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "#quality"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "view(1)", "Quality, forecast, frontier", show=False, id="next_data_view"),
        Binding("V", "view(-1)", "View before", show=False, id="previous_data_view"),
        Binding("d", "diagnose", "Diagnose a file", show=False, id="diagnose_file"),
        Binding("escape", "leave_file", "End it; back to the data of the run", show=False),
        Binding("down,j", "scroll(1)", "Scroll (↑ back)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._view = 0
        self._looks_at: LookedAt | None = None
        """A file that was diagnosed; None: the data of the run at hand."""
        self._work: Task | None = None
        """The diagnosis that is being made."""

    @property
    def desk(self) -> ProjectDesk:
        return cast("ProjectDesk", self.lvm.workspace)

    def compose_body(self) -> ComposeResult:
        yield TaskList(id="data-tasks")
        yield Static(NONE, id="none")
        with Horizontal(id="data-body"):
            with VerticalScroll(id="quality"):
                yield DataReport(id="report")
            with Vertical(id="outlook"):
                with VerticalScroll(id="forecast"):
                    yield OutlookBoard(id="gates")
                yield FrontierChart(id="frontier")
        yield HintLine(id="hints")

    def show_frame(self, frame: Frame) -> None:
        shown = self._looks_at or at_hand(frame)
        tasks = worth_telling(frame.workspace.tasks, shown)
        if self._work is not None:
            tasks = (self._work,)
        task_list = self.query_one(TaskList)
        task_list.show(tasks)
        task_list.display = bool(tasks)
        self.query_one("#none").display = shown is None
        self.query_one("#data-body").display = shown is not None
        self.query_one(DataReport).show(shown.data if shown is not None else None)
        self.query_one(OutlookBoard).show(shown)
        self.query_one(FrontierChart).show(shown)
        self._show_view()

    def on_resize(self) -> None:
        if self.is_mounted:
            self._show_view()

    @property
    def _is_large(self) -> bool:
        """Room for all at once: -wide and -tall, which a screen is told of after its resize."""
        return self.size.width >= WIDE and self.size.height >= TALL

    def _show_view(self) -> None:
        view = VIEWS[self._view]
        large = self._is_large
        self.query_one("#quality").display = large or view == "quality"
        self.query_one("#outlook").display = large or view != "quality"
        self.query_one("#forecast").display = large or view == "forecast"
        self.query_one(FrontierChart).display = large or view == "frontier"
        self.query_one(HintLine).show(self._hints())

    def _hints(self) -> Hints:
        shown = self.query_one("#data-body").display
        several = shown and not self._is_large
        keys = [Hint("v", _NEXT[VIEWS[self._view]], "view(1)")] if several else []
        if self._work is not None:
            keys.append(Hint("esc", "end the diagnosis", "leave_file"))
        elif self._looks_at is not None:
            keys.append(Hint("esc", "the run's data", "leave_file"))
        keys.append(Hint("d", "diagnose a file", "diagnose"))
        if shown:
            keys.append(Hint("↑ ↓", "scroll", "scroll(1)"))
        where = f"{VIEWS[self._view]} ({self._view + 1}/{len(VIEWS)})"
        return Hints(tuple(keys), Content.styled(where if several else "", "$dim"))

    # -------------------------------------------------------------- keys

    def action_view(self, by: int) -> None:
        if self._is_large:
            self.notify("everything is in sight: there is no other view", timeout=2)
            return
        self._view = (self._view + by) % len(VIEWS)
        self._show_view()

    def action_scroll(self, by: int) -> None:
        at = "#forecast" if VIEWS[self._view] == "forecast" and not self._is_large else "#quality"
        self.query_one(at).scroll_relative(y=by, animate=False)

    def action_leave_file(self) -> None:
        """End the diagnosis that is being made, else go back to the data of the run."""
        if self._work is not None:
            self.workers.cancel_group(self, "diagnosis")
            self._work = None
        else:
            self._looks_at = None
        self.show_frame(self.lvm.frame)

    def action_diagnose(self) -> None:
        if self._work is not None:
            self.notify("one diagnosis at a time: esc ends this one", severity="warning")
            return
        root = self.desk.project.root
        self.app.push_screen(PickFile(root, npz_files), self._picked)

    def _picked(self, path: Path | None) -> None:
        if path is not None:
            self._work = Task("diagnosis", f"diagnosing {path}")
            self.show_frame(self.lvm.frame)
            self._diagnose(path)

    @work(exclusive=True, group="diagnosis")
    async def _diagnose(self, path: Path) -> None:
        """In a process of its own, which ends with this worker."""
        worker = get_current_worker()

        def progress(what: str, done: int, total: int) -> None:
            if not worker.is_cancelled:
                title = f"diagnosing {path}"
                self._work = Task("diagnosis", title, done=done, total=total, note=what)
                self.show_frame(self.lvm.frame)

        try:
            document = await diagnose(self.desk.project.root, path, progress)
        except LvmError as error:
            self.app.post_message(Problem.of(f"{path.name} could not be diagnosed", error))
        else:
            self._looks_at = diagnosed(str(path), document)
        self._work = None
        if self.is_attached:
            self.show_frame(self.lvm.frame)
