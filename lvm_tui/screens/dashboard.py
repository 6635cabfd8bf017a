"""Mode 1: curves, gates, alerts, log and queue of the run that trains."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, Input

from lvm.errors import LvmError
from lvm_tui.export import export
from lvm_tui.gauging import elsewhere
from lvm_tui.live import whole_log
from lvm_tui.messages import Exported, Problem
from lvm_tui.screens.base import FrameScreen
from lvm_tui.screens.chart_keys import ChartKeys
from lvm_tui.state.setup import Setup
from lvm_tui.state.views import Frame, RunView
from lvm_tui.widgets.alert_history import AlertHistory
from lvm_tui.widgets.gate_table import GateTable
from lvm_tui.widgets.gauge_line import GaugeLine, in_short
from lvm_tui.widgets.hints import HintLine, Hints
from lvm_tui.widgets.log_page import LogPage
from lvm_tui.widgets.log_tail import LogTail
from lvm_tui.widgets.log_view import LogView
from lvm_tui.widgets.loss_chart import LineChart, plot_of
from lvm_tui.widgets.page import Page
from lvm_tui.widgets.preparation import TaskList
from lvm_tui.widgets.quality import QualityLine, QualityPanel
from lvm_tui.widgets.queue_strip import QueueStrip
from lvm_tui.widgets.scoreboard import Scoreboard
from lvm_tui.widgets.summary import Summary
from lvm_tui.widgets.welcome import Greeting, Welcome

LOOK_AGAIN = 2.0
"""Seconds between two looks at what a workspace lacks, while it has no run."""

_FOCUS = {"whole_log": "LogView"}
"""What of a page takes the keys, where it is not the page itself."""

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
[b]charts[/b]      zoom with the wheel too; a click sets the cursor, esc takes it away
[b]smoothing[/b]   debiased moving average; no spike is lost, whatever the zoom
[b]export[/b]      batches.csv, epochs.csv, run.json, dashboard.svg in the run's exports/\
"""


class Dashboard(ChartKeys, FrameScreen):
    TITLE = "Dashboard"
    HELP_TEXT = HELP
    PARTS = (LogPage,)
    AUTO_FOCUS = ""  # a page that is closed would take the arrow keys

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "open('gates')", "Gates", id="gates"),
        Binding("h", "open('alerts')", "Alert history", show=False, id="alert_history"),
        Binding("t", "open('whole_log')", "Log", id="whole_log"),
        Binding("slash", "filter_log", "Filter the log", key_display="/", show=False, id="search"),
        *ChartKeys.KEYS,
        Binding("e", "export", "Export", show=False, id="export"),
        Binding("c", "charts", "Charts or summary", show=False, id="charts"),
        Binding("escape", "back", "Back", show=False),
    ]

    _opened = ""
    """The body that a person asked for, instead of the one that fits."""
    _charts_wanted = False
    _logged: str | None = None
    """The run whose log the log page shows."""

    @property
    def frame(self) -> Frame:
        """What is shown."""
        return self.lvm.frame

    def compose_body(self) -> ComposeResult:
        yield GaugeLine(id="gauges")
        with ContentSwitcher(initial="welcome", id="body"):
            yield Welcome(id="welcome")
            with VerticalScroll(id="preparation", can_focus=False):
                yield TaskList(id="tasks")
                yield QualityPanel(id="quality")
            with Horizontal(id="training"):
                with Vertical(id="charts"):
                    yield LineChart(id="loss")
                    yield LineChart(id="cosine")
                    yield HintLine(id="chart_keys")
                    yield QualityLine(id="data")
                yield Scoreboard(id="scoreboard")
            yield Summary(id="summary")
            with Page("all numbers", id="gates"):
                yield GateTable()
            with Page("alerts", id="alerts"):
                yield AlertHistory()
            yield LogPage(id="whole_log")
        yield LogTail(id="log").naming(self.key_of("whole_log"), self.key_of("search"))
        yield QueueStrip(id="queue")

    def show_frame(self, frame: Frame) -> None:
        body = self.query_one(ContentSwitcher)
        body.current = self._opened or self._stage(frame)
        tail = self.query_one(LogTail)
        tail.display = body.current != "whole_log"
        tail.show_frame(frame, self.lvm.zone)
        gauges = self.lvm.gauges
        load = in_short(gauges) if self.has_class("-short") else ""
        self.query_one(QueueStrip).show_frame(frame, load, self.starting_key)
        away = elsewhere(frame.runner)
        self.query_one(GaugeLine).show_frame(frame, gauges, away)
        match body.current:
            case "welcome":
                self._look_at_setup()
            case "preparation":
                self.query_one(TaskList).show(frame.workspace.tasks)
                self.query_one(QualityPanel).show(frame.run.data if frame.run else None)
            case "training":
                self.query_one(Scoreboard).show_frame(frame, self.key_of("gates"))
                self.query_one(QualityLine).show(frame.run.data if frame.run else None)
                self.show_chart_keys()
                self.show_charts()
            case "summary":
                self.query_one(Summary).show_frame(frame, self.key_of)
            case "gates":
                self.query_one(GateTable).show_run(frame.run)
            case "alerts":
                self.query_one(AlertHistory).show_frame(frame, self.lvm.zone)
            case "whole_log":
                self._read_log(frame)

    def on_mount(self) -> None:
        super().on_mount()
        self._show_setup(None)
        self.set_interval(LOOK_AGAIN, self._look_at_setup)

    def _look_at_setup(self) -> None:
        """What is missing may be put right in another terminal."""
        shown = self.query_one(ContentSwitcher).current == "welcome"
        if shown and self.is_seen and not self.frame.catching_up:
            self._read_setup()

    @work(thread=True, exclusive=True, group="setup")
    def _read_setup(self) -> None:
        """In a thread: the disk may be slow."""
        setup = self.lvm.workspace.setup()
        self.app.call_from_thread(self._show_setup, setup)

    def _show_setup(self, setup: Setup | None) -> None:
        key = "" if self.lvm.watching else self.key_of("queue")
        self.query_one(Welcome).show(Greeting(setup, key))

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

    def action_open(self, name: str) -> None:
        """Open a page over the body, or close it again."""
        if name == self._opened:
            self.action_back()
            return
        if name == "gates" and self.frame.run is None:
            self.notify("no run yet: there is nothing to judge")
            return
        self._opened = name
        self.show_frame(self.frame)
        self.set_focus(self.query_one(_FOCUS.get(name, f"#{name}")))

    def action_filter_log(self) -> None:
        if self._opened != "whole_log":
            self.action_open("whole_log")
        self.query_one(LogPage).ask_for_words()

    def _read_log(self, frame: Frame) -> None:
        page, run = self.query_one(LogPage), frame.run.run if frame.run else ""
        if run != self._logged:
            self._logged = run
            pages = self.lvm.workspace.log_pages(run)
            page.open(pages[1:] if frame.pinned else pages, self.lvm.zone)
        page.read_on()

    def action_back(self) -> None:
        """Leave the filter, close the page that is open, or take the cursor away."""
        if isinstance(self.focused, Input):
            self.set_focus(self.query_one(LogView))
        elif self._opened:
            self._opened = ""
            self.set_focus(None)
            self.show_frame(self.frame)
        elif self.look.cursor is not None:
            self.action_cursor()

    def show_chart_keys(self) -> None:
        self.query_one("#chart_keys", HintLine).show(Hints(self.chart_hints(), Content("")))

    def show_charts(self) -> None:
        run = self.frame.run
        if run is not None:
            loss, cosine = (plot_of(run, which, self.look) for which in ("loss", "cosine"))
            self.query_one("#loss", LineChart).show(loss, calm=self.lvm.calm)
            self.query_one("#cosine", LineChart).show(cosine, calm=self.lvm.calm)

    def action_export(self) -> None:
        run = self.frame.run
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
        self.show_frame(self.frame)
