"""How a person looks at the charts: scale, smoothing, zoom, pan, cursor; keys and mouse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.events import MouseScrollDown, MouseScrollUp

from lvm_tui.state.curves import SMOOTHING
from lvm_tui.state.views import Frame
from lvm_tui.widgets.hints import Hint
from lvm_tui.widgets.loss_chart import LineChart, Look, last_step

if TYPE_CHECKING:
    from lvm_tui.screens.base import FrameScreen

    Base = FrameScreen
else:
    Base = object

FAR = 10
"""Columns that shift moves the cursor by."""


_HINTS = (
    ("log_scale", "log scale", "log_scale"),
    ("less_smooth", "smooth", "smooth(1)"),
    ("zoom_in", "zoom", "zoom(1)"),
    ("pan_left", "pan", "pan(-1)"),
    ("whole_run", "whole run", "reset_view"),
    ("cursor", "cursor", "cursor"),
    ("export", "export", "export"),
)
"""Name in the key map, words, and what a click does."""


class ChartKeys(Base):
    """Mixed into a screen with charts."""

    KEYS: ClassVar = (
        Binding("l", "log_scale", "Log scale", show=False, id="log_scale"),
        Binding(
            "left_square_bracket",
            "smooth(-1)",
            "Smooth",
            key_display="[ ]",
            show=False,
            id="less_smooth",
        ),
        Binding("right_square_bracket", "smooth(1)", "Smoother", show=False, id="more_smooth"),
        Binding("plus,equals_sign", "zoom(1)", "Zoom", key_display="+ -", show=False, id="zoom_in"),
        Binding("minus", "zoom(-1)", "Zoom out", show=False, id="zoom_out"),
        Binding("x", "cursor", "Cursor: values at a place", show=False, id="cursor"),
        Binding(
            "left",
            "pan(-1)",
            "Pan; moves the cursor",
            key_display="← →",
            show=False,
            id="pan_left",
        ),
        Binding("right", "pan(1)", "Pan right", show=False, id="pan_right"),
        Binding("shift+left", f"pan(-{FAR})", "Cursor far left", show=False, id="far_left"),
        Binding("shift+right", f"pan({FAR})", "Cursor far right", show=False, id="far_right"),
        Binding("0", "reset_view", "Whole run", show=False, id="whole_run"),
    )

    look = Look()

    def chart_hints(self) -> tuple[Hint, ...]:
        """The keys, for a line of their own: the last line has no room for them."""
        return tuple(Hint(self.key_of(name), words, action) for name, words, action in _HINTS)

    @property
    def frame(self) -> Frame:
        """What is shown."""
        raise NotImplementedError

    def show_charts(self) -> None:
        """Draw them as `look` says now."""
        raise NotImplementedError

    def look_so(self, look: Look) -> None:
        self.look = look
        self.show_charts()

    @property
    def _last(self) -> int:
        """The step that the charts end at."""
        run = self.frame.run
        return last_step(run) if run is not None else 1

    def action_log_scale(self) -> None:
        self.look_so(replace(self.look, log=not self.look.log))

    def action_smooth(self, by: int) -> None:
        level = min(max(self.look.level + by, 0), len(SMOOTHING) - 1)
        self.look_so(replace(self.look, level=level))

    def action_zoom(self, by: int) -> None:
        """Around the cursor, if there is one in sight."""
        view, cursor = self.look.viewport, self.look.cursor
        start, end = view.steps(self._last)
        if cursor is not None and start <= cursor <= end:
            view = view.zoomed(by, cursor / self._last)
        else:
            view = view.zoomed_in() if by > 0 else view.zoomed_out()
        self.look_so(replace(self.look, viewport=view))

    def action_pan(self, by: int) -> None:
        """By a quarter of what is visible; the cursor, if there is one, by columns."""
        view = self.look.viewport
        if self.look.cursor is None:
            self.look_so(replace(self.look, viewport=view.right() if by > 0 else view.left()))
            return
        start, end = view.steps(self._last)
        column = (end - start) / self.query_one("#loss", LineChart).columns
        self._point(self.look.cursor + by * column)

    def action_cursor(self) -> None:
        """Show it in the middle of what is visible, or take it away."""
        if self.look.cursor is not None:
            self.look_so(replace(self.look, cursor=None))
        else:
            start, end = self.look.viewport.steps(self._last)
            self._point((start + end) / 2)

    def _point(self, step: float) -> None:
        """The cursor at a step within the run, and that step in sight."""
        step = min(max(step, 1.0), float(self._last))
        view = self.look.viewport.showing(step / self._last)
        self.look_so(replace(self.look, cursor=step, viewport=view))

    def action_reset_view(self) -> None:
        """All of it in sight; scale, smoothing and cursor stay."""
        self.look_so(replace(self.look, viewport=Look().viewport))

    def on_line_chart_pointed(self, event: LineChart.Pointed) -> None:
        start, end = self.look.viewport.steps(self._last)
        self._point(start + event.share * (end - start))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: MouseScrollUp | MouseScrollDown, by: int) -> None:
        """Zoom, and what lies under the pointer stays there."""
        chart = event.widget
        if isinstance(chart, LineChart):
            view = self.look.viewport
            start, end = view.steps(self._last)
            x = event.screen_x - chart.region.x
            at = (start + chart.share_at(x) * (end - start)) / self._last
            self.look_so(replace(self.look, viewport=view.zoomed(by, at)))
