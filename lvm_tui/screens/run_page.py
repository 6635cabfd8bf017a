"""One run of the list on the dashboard's own charts and gates: to look at, not to steer."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from lvm_tui.live import Tail
from lvm_tui.screens.dashboard import Dashboard
from lvm_tui.state.views import Frame
from lvm_tui.widgets.loss_chart import Look

PAUSE = 1.0
"""Seconds between two looks at the log: the run may be training."""


class RunPage(Dashboard):
    """Shows the run that was asked for, whatever trains meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "leave_run", "Back to the runs"),
    ]

    def __init__(self, run: str) -> None:
        super().__init__()
        self.title = run
        self._run = run
        self._tail: Tail | None = None
        self._own = Frame(watching=True, catching_up=True)

    def on_mount(self) -> None:
        super().on_mount()
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

    def _look(self, look: Look) -> None:
        self.look = look
        self._show_charts(self._own)

    def action_leave_run(self) -> None:
        self.dismiss()
