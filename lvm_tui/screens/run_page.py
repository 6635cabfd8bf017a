"""One run of the list on the dashboard's own charts and gates: to look at, not to steer."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from lvm_tui.live import Tail
from lvm_tui.screens.dashboard import Dashboard
from lvm_tui.state.views import Frame
from lvm_tui.widgets.alert_banner import identity
from lvm_tui.widgets.hints import Hint, HintLine, Hints

PAUSE = 1.0
"""Seconds between two looks at the log: the run may be training."""


class RunPage(Dashboard):
    """Shows the run that was asked for, whatever trains meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave_run", "Back to the runs", show=False),
        Binding("a", "acknowledge_own", "Acknowledge", show=False),
        # what trains may be another run: it is steered where it is seen
        Binding("space", "steer_elsewhere", show=False),
        Binding("s", "steer_elsewhere", show=False),
    ]

    def __init__(self, run: str) -> None:
        super().__init__()
        self.title = run
        self._run = run
        self._tail: Tail | None = None
        self._own = Frame(watching=True, catching_up=True)

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield HintLine(id="hints")

    def show_chart_keys(self) -> None:
        """On a line of the screen, whatever its size, with the way back."""
        self.query_one("#chart_keys").display = False
        back = Hint("esc", "back to the runs", "leave_run")
        self.query_one("#hints", HintLine).show(Hints((back, *self.chart_hints()), Content("")))

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#queue").display = False
        self.show_chart_keys()
        self._tail = Tail(self.lvm.workspace.run_log(self._run), self._run)
        self._read()
        self.set_interval(PAUSE, self._read)

    @work(thread=True, exclusive=True, group="run")
    def _read(self) -> None:
        """In a thread: the log may be long."""
        assert self._tail is not None
        self._tail.read()
        while not self._tail.at_end:
            self._tail.read()
        self.app.call_from_thread(self._take)

    def _take(self) -> None:
        assert self._tail is not None
        live = self.lvm.frame
        trains = live.run is not None and live.run.run == self._run and live.runner.alive
        frame = replace(
            self._own,
            run=self._tail.view,
            runner=replace(live.runner, alive=trains),
            alerts=tuple(alert for alert in self._tail.view.alerts if alert.open),
            catching_up=False,
        )
        if frame != self._own:
            self._own = frame
            self.receive(frame)

    def receive(self, frame: Frame) -> None:  # noqa: ARG002 - the live frame is of another run
        super().receive(self._own)

    @property
    def frame(self) -> Frame:
        return self._own

    def action_charts(self) -> None:
        """There is no summary of one run: the charts stay."""

    def action_leave_run(self) -> None:
        """Back by one step: out of a page or the cursor, or out of the run."""
        if self._opened or self.look.cursor is not None:
            self.action_back()
        else:
            self.dismiss()

    def action_steer_elsewhere(self) -> None:
        self.notify("to look at only: what trains is steered on the dashboard (1)")

    def action_acknowledge_own(self) -> None:
        """The alert that is shown here, which need not be the most urgent of all runs."""
        alerts = self._own.alerts
        if not alerts:
            self.notify("no open alert")
        elif self.lvm.watching:
            self.notify("look only: lvm-tui without “watch” can acknowledge", severity="warning")
        else:
            waiting = (alert for alert in alerts if identity(alert) not in self.lvm.told)
            if (alert := next(waiting, None)) is not None:
                self.lvm.acknowledge(alert)
            self._read()
