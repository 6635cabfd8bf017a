"""Every alert of the queue's runs: raised when, how bad, acknowledged by whom and when."""

from __future__ import annotations

from datetime import datetime, tzinfo

from textual.content import Content
from textual.geometry import Size

from lvm_tui.state.views import Alert, Frame
from lvm_tui.widgets.alert_banner import SIGNS
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import clipped, lines

_STYLES = {
    "severe": "bold $text-error",
    "alarm": "bold $text-error",
    "caution": "bold $text-warning",
    "notice": "$text-warning",
}

_INDENT = " " * 17


class AlertHistory(Board[tuple[Alert, ...]]):
    _zone: tzinfo | None = None

    def show_frame(self, frame: Frame, zone: tzinfo | None = None) -> None:
        """zone: of the clock; None is the machine's own."""
        self._zone = zone
        self.show(frame.all_alerts)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self._rows(self._slice or (), width))

    def draw(self, slice_: tuple[Alert, ...], size: Size) -> Content:
        return lines(self._rows(slice_, size.width))

    def _rows(self, alerts: tuple[Alert, ...], width: int) -> list[Content]:
        if not alerts:
            return [Content.styled("no alert was raised in these runs", "$dim")]
        still = sum(alert.open for alert in alerts)
        head = (
            f"{len(alerts)} raised, {still} open" if still else f"{len(alerts)} raised, none open"
        )
        rows = [Content.styled(f"{head} · newest first", "$dim"), Content("")]
        for alert in alerts:
            rows += [clipped(row, width) for row in self._alert(alert, width)]
        return rows

    def _alert(self, alert: Alert, width: int) -> list[Content]:
        style = _STYLES.get(alert.level, "") if alert.open else ""
        sign = SIGNS.get(alert.level, "•")
        message = Content(alert.message).wrap(max(width - len(_INDENT) - 4, 20))
        rows = [
            Content.assemble(
                (f"{self._clock(alert.time)}  " if not at else _INDENT[:16], "$dim"),
                (f"{sign:<3} " if not at else "    ", style),
                line.stylize(style) if style else line,
            )
            for at, line in enumerate(message)
        ]
        where = f"{alert.level} · {alert.run} {alert.epochs}".rstrip()
        rows.append(Content.styled(f"{_INDENT}   {where}", "$dim"))
        answer = self._answer(alert).wrap(max(width - len(_INDENT) - 3, 20))
        return [*rows, *(Content(f"{_INDENT}   ") + line for line in answer), Content("")]

    def _answer(self, alert: Alert) -> Content:
        if alert.open:
            fix = f"  → {alert.fix}" if alert.fix else ""
            return Content.assemble(("open", "bold"), (fix, ""))
        when = f" at {self._clock(alert.acknowledged_at)}" if alert.acknowledged_at else ""
        return Content.assemble(
            ("✓ ", "$text-success"), f"acknowledged by {alert.acknowledged_by}{when}"
        )

    def _clock(self, time: float) -> str:
        return datetime.fromtimestamp(time, self._zone).strftime("%m-%d %H:%M:%S")
