"""Which part of a curve is looked at: zoom and pan, pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

MOST = 64
"""Deepest zoom: beyond it a bucket would be wider than a column."""

_PAN = 0.25
"""Share of the visible part that one key press moves."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """The newest 1/zoom of a run, moved left by `back` (in shares of the whole run)."""

    zoom: int = 1
    back: float = 0.0

    @property
    def follows(self) -> bool:
        """Whether new points come into sight by themselves."""
        return self.back == 0.0

    def zoomed_in(self) -> Viewport:
        if self.zoom >= MOST:
            return self
        middle = 0.0 if self.follows else self.back + 0.25 / self.zoom
        return replace(self, zoom=self.zoom * 2, back=middle)

    def zoomed_out(self) -> Viewport:
        if self.zoom == 1:
            return self
        zoom = self.zoom // 2
        back = 0.0 if self.follows else self.back - 0.25 / zoom
        return _kept(Viewport(zoom, back))

    def zoomed(self, by: int, at: float) -> Viewport:
        """Twice or half as near; what lies at `at`, a share of the whole run, stays in place."""
        zoom = min(max(self.zoom * 2 if by > 0 else self.zoom // 2, 1), MOST)
        start = 1.0 - self.back - 1.0 / self.zoom
        within = (at - start) * self.zoom  # 0 at the left edge, 1 at the right one
        end = at - within / zoom + 1.0 / zoom
        return _kept(Viewport(zoom, 1.0 - end))

    def showing(self, at: float) -> Viewport:
        """Moved just as far as needed for `at`, a share of the whole run, to be in sight."""
        end = 1.0 - self.back
        start = end - 1.0 / self.zoom
        if at < start:
            return _kept(replace(self, back=1.0 - at - 1.0 / self.zoom))
        return _kept(replace(self, back=1.0 - at)) if at > end else self

    def left(self) -> Viewport:
        return _kept(replace(self, back=self.back + _PAN / self.zoom))

    def right(self) -> Viewport:
        return _kept(replace(self, back=self.back - _PAN / self.zoom))

    def steps(self, last: float) -> tuple[float, float]:
        """First and last visible step of a run that has come to step `last`."""
        end = last * (1.0 - self.back)
        return end - last / self.zoom, end


def _kept(view: Viewport) -> Viewport:
    """Within the run."""
    back = min(max(view.back, 0.0), 1.0 - 1.0 / view.zoom)
    return replace(view, back=0.0 if back < 1e-9 else back)
