"""Questions: all of each is in sight, however narrow the terminal."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.widgets import Button, Static

from lvm_tui.app import LvmApp
from lvm_tui.screens.dialogs import Ask
from lvm_tui.screens.leave import leave

from . import scenes
from .conftest import Open


def on_screen(app: App[object]) -> str:
    return " ".join(
        " ".join(strip.text for strip in app.screen._compositor.render_strips()).split()
    )


@pytest.mark.parametrize("columns", [60, 80, 120])
async def test_every_word_and_every_answer_of_leaving_is_in_sight(
    opened: Open, columns: int
) -> None:
    async with opened(scenes.going_well(), size=(columns, 24)) as (app, pilot):
        assert isinstance(app, LvmApp)
        app.push_screen(leave())
        await pilot.pause()
        assert isinstance(app.screen, Ask)
        for word in str(app.screen.query_one("#text", Static).render()).split():
            assert word in on_screen(app)
        for button in app.screen.query(Button):
            assert str(button.label) in on_screen(app)
            assert app.screen.region.contains_region(button.region)


async def test_answers_are_reached_by_arrows_either_way(opened: Open) -> None:
    async with opened(scenes.going_well(), size=(80, 24)) as (app, pilot):
        told: list[str | None] = []
        app.push_screen(leave(), told.append)
        await pilot.pause()
        await pilot.press("down", "right", "up", "enter")
        assert told == ["stop"]
