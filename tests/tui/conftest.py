"""The app over a workspace in memory, calm, with a clock of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher

from lvm.config import DashboardSettings
from lvm_tui.app import LvmApp

from .screens import hurried
from .sources import MemoryWorkspace

CALM = DashboardSettings(animations="none")

MakeApp = Callable[..., LvmApp]


@pytest.fixture
def make_app() -> MakeApp:
    """make_app(desk, **options of LvmApp); nothing flashes, times are UTC."""

    def make(desk: MemoryWorkspace, **options: Any) -> LvmApp:
        environment: Mapping[str, str] = options.pop("environment", {})
        look = options.pop("look", CALM)
        options = {"monotonic": hurried(), **options}
        return LvmApp(desk, look=look, environment=environment, zone=UTC, **options)

    return make


Open = Callable[..., Any]


@pytest.fixture
def opened(make_app: MakeApp) -> Open:
    """`async with opened(desk, size=…) as (app, pilot)`: everything read and painted."""

    @asynccontextmanager
    async def open_app(
        desk: MemoryWorkspace, size: tuple[int, int] = (120, 40), **options: Any
    ) -> AsyncIterator[tuple[LvmApp, Pilot[Any]]]:
        app = make_app(desk, **options)
        async with app.run_test(size=size) as pilot:
            await look(app, pilot)
            yield app, pilot

    return open_app


async def look(app: LvmApp, pilot: Pilot[Any]) -> None:
    await pilot.pause()
    app.tick()
    while app.frame.catching_up:
        app.tick()
    await pilot.pause()


def shown(app: LvmApp, kind: type[Any], selector: str = "") -> str:
    """The text that a widget shows."""
    widget = app.screen.query_one(selector or kind.__name__, kind)
    return str(widget.render())


def body(app: LvmApp) -> str | None:
    return app.screen.query_one(ContentSwitcher).current
