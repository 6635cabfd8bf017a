"""NO_COLOR: no colour is left, and what colour told is told by attributes."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.style import Style
from textual.app import App
from textual.pilot import Pilot

from lvm_tui.colourless import bare
from lvm_tui.widgets.alert_banner import AlertBanner
from lvm_tui.widgets.row_table import RowTable

from .queue_scenes import many_runs
from .screens import screen

DARK = (13, 17, 23)


@pytest.fixture(autouse=True)
def no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def styles_at(pilot: Pilot[object], row: int) -> list[Style]:
    """Of everything that stands in a line of the screen."""
    app: App[object] = pilot.app
    strip = app.screen._compositor.render_strips()[row]
    return [style for text, style, _ in strip if text.strip() and style is not None]


def test_attributes_and_what_a_click_does_are_kept() -> None:
    style = Style(color="#ff0000", bgcolor="#00ff00", bold=True, meta={"@click": "app.quit"})
    found = bare(style, DARK)
    assert (found.color, found.bgcolor) == (None, None)
    assert found.bold
    assert found.meta == {"@click": "app.quit"}


@pytest.mark.parametrize(
    ("color", "dim"),
    [("#d7dde5", False), ("#8a9097", True), ("#4a4f57", True), ("#5fc77d", False)],
    ids=["text", "secondary", "faint", "green"],
)
def test_grey_text_is_dim(color: str, dim: bool) -> None:
    assert bool(bare(Style(color=color), DARK).dim) is dim


async def test_no_cell_of_the_runs_has_a_colour(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6") as pilot:
        for row in range(pilot.app.size.height):
            for style in styles_at(pilot, row):
                assert style.color is None
                assert style.bgcolor is None


async def test_the_row_under_the_cursor_and_an_alarm_are_reversed(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6") as pilot:
        table = pilot.app.screen.query_one(RowTable)
        cursor = table.region.y + 1  # below the heads
        assert all(style.reverse for style in styles_at(pilot, cursor))
        assert not any(style.reverse for style in styles_at(pilot, cursor + 1))
        banner = pilot.app.screen.query_one(AlertBanner)
        assert any(style.reverse for style in styles_at(pilot, banner.region.y))
