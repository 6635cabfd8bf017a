"""A body that a person opened: it scrolls, and says how to close it."""

from __future__ import annotations

from textual.containers import VerticalScroll


class Page(VerticalScroll, can_focus=True):
    """↑ ↓, page keys, home, end and the wheel scroll while it has the focus."""

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = f"{title} · ↑ ↓ scroll · esc back"
