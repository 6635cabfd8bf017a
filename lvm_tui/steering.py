"""The keys that tell the runner something, on every screen; refused in words where they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding

from lvm.errors import LvmError
from lvm_tui.live import Desk
from lvm_tui.messages import Problem
from lvm_tui.screens.dialogs import Answer, Ask
from lvm_tui.state.views import Alert, Frame
from lvm_tui.widgets.alert_banner import AlertBanner, AlertId, identity

if TYPE_CHECKING:
    from textual.app import App

    Base = App[Any]
else:
    Base = object


class Steering(Base):
    """Mixed into the app."""

    KEYS: ClassVar = (
        Binding("space", "pause", "Pause", id="pause"),
        Binding("s", "stop", "Stop", id="stop"),
        Binding("a", "acknowledge", "Acknowledge", show=False, id="acknowledge"),
        Binding("A", "acknowledge(True)", "Acknowledge all", show=False, id="acknowledge_all"),
        Binding("n", "next_alert", "Next alert", show=False, id="next_alert"),
    )

    told: frozenset[AlertId] = frozenset()
    """Alerts that were acknowledged here. A runner in another process takes seconds to log it."""

    workspace: Desk
    watching: bool
    calm: bool

    @property
    def frame(self) -> Frame:
        raise NotImplementedError

    def start_engine(self) -> bool:
        raise NotImplementedError

    def may_steer(self) -> bool:
        """Whether a runner is there to be told; if not, it says why."""
        if self.watching:
            self.notify("look only: lvm-tui without “watch” can steer", severity="warning")
        elif not self.frame.runner.alive:
            self.notify("nothing trains at the moment", severity="warning")
        else:
            return True
        return False

    def send(self, kind: str, words: str) -> None:
        """A command for the runner; `words` say that it is on its way."""
        if self.may_steer():
            try:
                self.workspace.send(kind)
            except LvmError as error:
                self.post_message(Problem.of("The command could not be sent", error))
            else:
                self.notify(f"{words} …", timeout=2)

    def action_pause(self) -> None:
        """Or, while nothing trains, begin with what is queued."""
        if not self.watching and not self.frame.runner.alive and self.start_engine():
            self.notify("starting the queue …", timeout=2)
            return
        run = self.frame.run
        paused = run is not None and run.phase == "paused"
        self.send("resume" if paused else "pause", "going on" if paused else "pausing")

    def action_stop(self) -> None:
        if self.may_steer():
            question = Ask(
                "Stop",
                "Stop this job after a checkpoint, and the queue with it?\n"
                "Retry on the queue screen goes on from there, to the same bits;\n"
                "space begins with the next job.",
                (Answer("y", "yes", "stop", "warning"), Answer("n", "", "go on training")),
            )
            self.push_screen(question, self._stop_if)

    def _stop_if(self, answer: str | None) -> None:
        if answer == "yes":
            self.send("stop", "stopping after a checkpoint")

    def action_acknowledge(self, everything: bool = False) -> None:
        """The alert that is shown; or all that are open."""
        if self.watching:
            self.notify("look only: lvm-tui without “watch” can acknowledge", severity="warning")
            return
        alerts = self._unacknowledged()
        if not alerts and not self.told:
            self.notify("no open alert")
        for alert in alerts if everything else alerts[:1]:
            if not self.acknowledge(alert):
                return

    def acknowledge(self, alert: Alert) -> bool:
        """Whether it could be written or sent; the screen shows at once that it was taken."""
        try:
            self.workspace.acknowledge(alert, self.frame)
        except LvmError as error:
            self.post_message(Problem.of("The alert could not be acknowledged", error))
            return False
        self.told |= {identity(alert)}
        self.redraw()
        return True

    def redraw(self) -> None:
        """Give the screen on top its frame again."""
        raise NotImplementedError

    def action_next_alert(self) -> None:
        """Show another open alert, without acknowledging this one."""
        if len(self.frame.alerts) < 2:
            self.notify("no other alert is open")
        elif banner := self._banner():
            banner.next(calm=self.calm)

    def _banner(self) -> AlertBanner | None:
        return next(iter(self.screen.query(AlertBanner)), None)

    def _unacknowledged(self) -> list[Alert]:
        """Open ones, without those just acknowledged here: the log will tell of them soon.

        The one that is shown comes first, and those after it.
        """
        alerts = self.frame.alerts
        self.told &= {identity(alert) for alert in alerts}
        banner = self._banner()
        shown = banner.alert if banner is not None else None
        at = alerts.index(shown) if shown in alerts else 0
        return [alert for alert in alerts[at:] + alerts[:at] if identity(alert) not in self.told]
