"""Mode 6: all runs of the project, searched, sorted, laid over one another, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, Input, Static

from lvm.errors import LvmError
from lvm.runs.folder import RunFolder, RunSummary
from lvm_tui.desk import ProjectDesk
from lvm_tui.messages import Exported, Problem
from lvm_tui.run_export import export_one, export_runs
from lvm_tui.screens.base import FrameScreen
from lvm_tui.screens.run_page import RunPage
from lvm_tui.screens.what_to_export import ALL, THIS, what_to_export
from lvm_tui.state.catalog import (
    METRICS,
    MOST,
    SORTS,
    Details,
    flat_settings,
    found,
    in_order,
    titles,
)
from lvm_tui.state.views import Frame
from lvm_tui.widgets.comparison import Gates, Settings
from lvm_tui.widgets.hints import Hint, HintLine, Hints
from lvm_tui.widgets.overlay_chart import COLORS, Overlay, OverlayChart, Series
from lvm_tui.widgets.row_table import RowTable
from lvm_tui.widgets.run_table import RunsLine, layout, numbers_of, table_row

NONE = """\
[b]There are no runs yet.[/b]

  [b $accent]2[/]   queue some training

Every run that was ever trained here is listed, whether it ended well or not.
"""

HELP = f"""\
[b]space[/b]  up to {MOST} runs are compared; without any, the one under the cursor is shown
[b]v[/b]      val loss · val cosine · VAL margin · the numbers of 5CAT · the settings that differ
[b]sign[/b]   ✓ completed  ✗ failed  ■ stopped  ▶ trains  ? its runner is gone, it can be resumed
       · made by another tool
[b]5CAT[/b]   the numbers of a run are those of its best score; ✓ reaches its need, ✗ does not;
       the best of a row is bold
[b]e[/b]      asks what to write as CSV, JSON and SVG: the run under the cursor, those that are
       compared, or all that are listed\
"""

_FIRST = (
    Hint("space", "compare", "mark"),
    Hint("v", "view", "view(1)"),
    Hint("/", "search", "search"),
    Hint("enter", "open", "open"),
    Hint("e", "export…", "export"),
)
_SCROLL = Hint("shift+↓", "scroll", "scroll_tables(1)")
_LAST = (Hint("o", "order", "sort"), Hint("u", "none", "unmark"))

_TABLES = ("gates", "settings")

EXPORTS = "exports"
"""Folder of the exported lists, beside the runs."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What of a frame makes the list of runs worth another look."""

    jobs: object
    run: str
    epochs: int
    batteries: int
    phase: str

    @classmethod
    def of(cls, frame: Frame) -> _Stamp:
        run = frame.run
        if run is None:
            return cls(frame.jobs, "", 0, 0, "")
        over = "finished" if run.phase == "finished" else ""
        return cls(frame.jobs, run.run, len(run.history), len(run.fivecats), over)


class Runs(FrameScreen):
    TITLE = "Runs"
    HELP_TEXT = HELP
    CSS_PATH: ClassVar[list[str]] = ["../styles/tables.tcss", "../styles/runs.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "#runs"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Compare, or no longer", show=False, id="compare_run"),
        Binding("u", "unmark", "Compare none", show=False, id="compare_none"),
        Binding("v", "view(1)", "Next view", show=False, id="next_view"),
        Binding("V", "view(-1)", "View before", show=False, id="previous_view"),
        Binding("slash", "search", "Search", key_display="/", show=False, id="search_runs"),
        Binding("escape", "clear_search", "All runs again", show=False),
        Binding("o", "sort", "Another order", show=False, id="sort_runs"),
        Binding("e", "export", "Export runs", show=False, id="export_runs"),
        Binding("shift+down", "scroll_tables(1)", "Scroll the table below", show=False),
        Binding("shift+up", "scroll_tables(-1)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[RunSummary] = []
        self._stamp: _Stamp | None = None
        self._marked: list[str] = []
        self._words = ""
        self._sort = SORTS[0]
        self._view = 0
        self._details: dict[str, tuple[object, Details]] = {}

    @property
    def desk(self) -> ProjectDesk:
        return cast("ProjectDesk", self.lvm.workspace)

    def compose_body(self) -> ComposeResult:
        yield RunsLine(id="line")
        yield Input(id="search", placeholder="words of a name, a model or a state", compact=True)
        with ContentSwitcher(initial="none", id="body"):
            yield Static(NONE, id="none")
            with Vertical(id="some"):
                yield RowTable(id="runs")
                yield Static(id="legend")
                with Horizontal(id="overlays"):
                    for metric in METRICS:
                        yield OverlayChart(id=metric)
                with VerticalScroll(id="tables"):
                    yield Gates(id="gates")
                    yield Settings(id="settings")
            yield Static(id="unmatched")
        yield HintLine(id="hints")

    # -------------------------------------------------------------- what there is

    def show_frame(self, frame: Frame) -> None:
        stamp = _Stamp.of(frame)
        if stamp != self._stamp and self.is_seen:
            self._stamp = stamp
            self._look()

    @work(thread=True, exclusive=True, group="runs")
    def _look(self) -> None:
        """In a thread: there may be many runs, and the disk may be slow."""
        try:
            runs = self.desk.project.runs()
        except (LvmError, OSError) as error:
            self.app.post_message(Problem.of("The runs cannot be listed", error))
            return
        self.app.call_from_thread(self._found, runs)

    def _found(self, runs: list[RunSummary]) -> None:
        self._runs = runs
        names = {run.name for run in runs}
        self._marked = [name for name in self._marked if name in names]
        self._redraw()

    def on_resize(self) -> None:
        if self.is_mounted:
            self._redraw()

    @property
    def _listed(self) -> list[RunSummary]:
        return in_order(found(self._runs, self._words), self._sort)

    def _redraw(self) -> None:
        listed = self._listed
        line = (len(listed), len(self._runs), self._words, self._sort, len(self._marked))
        self.query_one(RunsLine).show(line)
        body = "some" if listed else "unmatched" if self._runs else "none"
        self.query_one("#body", ContentSwitcher).current = body
        self.query_one("#unmatched", Static).update(_unmatched(self._words))
        numbers = numbers_of(self._marked)
        width = self.size.width - 3
        zone = self.lvm.zone
        rows = [table_row(run, numbers.get(run.name), width, zone) for run in listed]
        self.query_one("#runs", RowTable).show_table(layout(width), rows)
        self._compare()

    def on_row_table_moved(self) -> None:
        if not self._marked:
            self._compare()

    # -------------------------------------------------------------- the comparison

    @property
    def _is_large(self) -> bool:
        """Room for all charts and a table at once."""
        return self.has_class("-wide") and self.has_class("-tall")

    @property
    def _views(self) -> tuple[str, ...]:
        return _TABLES if self._is_large else (*METRICS, *_TABLES)

    def _compared(self) -> tuple[Details, ...]:
        """The marked runs in the order of their marking, else the one under the cursor."""
        names = self._marked or [self.query_one("#runs", RowTable).current]
        runs = {run.name: run for run in self._runs}
        return tuple(self._details_of(runs[name]) for name in names if name in runs)

    def _details_of(self, run: RunSummary) -> Details:
        """Read once, and again only when the list says something else of it."""
        kept = self._details.get(run.name)
        if kept is not None and kept[0] == run:
            return kept[1]
        details = _read(run)
        self._details[run.name] = (run, details)
        return details

    def _compare(self) -> None:
        compared = self._compared()
        view = self._views[self._view % len(self._views)]
        self.query_one("#legend", Static).update(_legend(compared, view, self._views))
        for metric, title in METRICS.items():
            chart = self.query_one(f"#{metric}", OverlayChart)
            chart.display = self._is_large or view == metric
            series = [Series(at, run.curve(metric)) for at, run in enumerate(compared, 1)]
            chart.show(Overlay(title, tuple(series)))
        more = (_SCROLL, *_LAST) if view in _TABLES else _LAST
        self.query_one(HintLine).show(Hints((*_FIRST, *more), Content("")))
        self.query_one("#overlays").display = self._is_large or view in METRICS
        self.query_one("#tables").display = view in _TABLES
        for name, table in (("gates", Gates), ("settings", Settings)):
            board = self.query_one(f"#{name}", table)
            board.display = view == name
            board.show(compared)

    # -------------------------------------------------------------- keys

    def action_mark(self) -> None:
        name = self.query_one("#runs", RowTable).current
        if name in self._marked:
            self._marked.remove(name)
        elif len(self._marked) == MOST:
            self.notify(f"at most {MOST} runs at once: space takes one away", severity="warning")
        elif name:
            self._marked.append(name)
        self._redraw()

    def action_unmark(self) -> None:
        self._marked.clear()
        self._redraw()

    def action_view(self, by: int) -> None:
        self._view = (self._view + by) % len(self._views)
        self._compare()

    def action_scroll_tables(self, by: int) -> None:
        self.query_one("#tables").scroll_relative(y=3 * by, animate=False)

    def action_sort(self) -> None:
        self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]
        self._redraw()

    def action_search(self) -> None:
        search = self.query_one("#search", Input)
        search.display = True
        search.focus()

    def action_clear_search(self) -> None:
        search = self.query_one("#search", Input)
        search.value = ""
        search.display = False
        self.query_one("#runs").focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        self._words = message.value.strip()
        self._redraw()

    def on_input_submitted(self) -> None:
        self.query_one("#search").display = False
        self.query_one("#runs").focus()

    def action_open(self) -> None:
        name = self.query_one("#runs", RowTable).current
        if name:
            self.app.push_screen(RunPage(name))

    def on_row_table_opened(self) -> None:
        self.action_open()

    def action_export(self) -> None:
        here = self.query_one("#runs", RowTable).current
        if not here:
            self.notify("no run to export", severity="warning")
            return
        picture = self.app.export_screenshot(title=self.TITLE)  # before the question covers it

        def answered(what: str | None) -> None:
            if what:
                self._export(self._chosen(what, here), picture, alone=what == THIS)

        question = what_to_export(here, len(self._marked), len(self._listed))
        self.app.push_screen(question, answered)

    def _chosen(self, what: str, here: str) -> list[RunSummary]:
        runs = {run.name: run for run in self._runs}
        if what == ALL:
            return self._listed
        return [runs[name] for name in ([here] if what == THIS else self._marked) if name in runs]

    @work(thread=True)
    def _export(self, runs: list[RunSummary], picture: str, *, alone: bool) -> None:
        """In a thread: logs may be long and the disk slow."""
        desk = self.desk
        try:
            if alone:
                (run,) = runs
                log = partial(desk.run_log, run.name)
                paths = export_one(desk.folder(run.name), _read(run), log, picture)
            else:
                folder = desk.log_path.parent / EXPORTS
                paths = export_runs(folder, [_read(run) for run in runs], picture)
        except (LvmError, OSError) as error:
            self.app.post_message(Problem.of("Nothing was exported", error))
            return
        self.app.post_message(Exported(str(paths[0].parent), tuple(path.name for path in paths)))


def _read(run: RunSummary) -> Details:
    folder = RunFolder(run.path)
    try:
        settings = flat_settings(folder.record().get("job") or {})
        return Details(run, settings, tuple(folder.history()))
    except LvmError as error:
        return Details(run, trouble=str(error))


def _unmatched(words: str) -> Content:
    return Content.assemble(
        "no run matches ",
        (f"“{words}”", "bold"),
        (" · ", "$dim"),
        ("esc", "bold $accent @click=screen.clear_search"),
        (" clears", "@click=screen.clear_search"),
    )


def _legend(compared: tuple[Details, ...], view: str, views: tuple[str, ...]) -> Content:
    """Which numbers are which runs, and which view of how many this is."""
    heads = {**METRICS, "gates": "5CAT", "settings": "settings"}
    at = Content.styled(f"{heads[view]} ({views.index(view) + 1}/{len(views)})   ", "bold")
    names = [compared[0].summary.name] if len(compared) == 1 else titles(compared)
    runs = [
        Content.assemble((f"{number} ", f"{COLORS[number - 1]} bold"), name)
        for number, name in enumerate(names, 1)
    ]
    return at + Content("  ").join(runs)
