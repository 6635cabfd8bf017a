"""The real app on a project of a test, and a few words for what a test does with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from itertools import count

from textual.pilot import Pilot

from lvm.config import DashboardSettings
from lvm_tui.app import LvmApp

from .disk import Disk

SMALL, LARGE = (80, 24), (120, 40)


def app_on(disk: Disk, *, watch: bool = False) -> LvmApp:
    calm = DashboardSettings(animations="none")
    return LvmApp(disk.desk, watch=watch, look=calm, environment={}, zone=UTC, monotonic=hurried())


def hurried() -> Callable[[], float]:
    """A clock by which nothing has to wait its turn."""
    return count(step=1000.0).__next__


@asynccontextmanager
async def screen(
    disk: Disk, *keys: str, size: tuple[int, int] = SMALL, watch: bool = False
) -> AsyncIterator[Pilot[object]]:
    """The app after the logs were read and some keys were pressed."""
    app = app_on(disk, watch=watch)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await press(pilot, *keys)
        yield pilot


async def press(pilot: Pilot[object], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def type_over(pilot: Pilot[object], text: str) -> None:
    """Replace what is in the focused input."""
    await press(pilot, "ctrl+a", "ctrl+f", "ctrl+u", "ctrl+k")
    await pilot.press(*text)
    await settled(pilot)


async def settled(pilot: Pilot[object]) -> None:
    app = pilot.app
    assert isinstance(app, LvmApp)
    while any(not worker.is_finished for worker in app.workers):  # one may start another
        await app.workers.wait_for_complete()
    before = None
    while app.frame is not before:
        before = app.frame
        app.tick()
    await pilot.pause()


def text_of(pilot: Pilot[object]) -> str:
    """What the terminal shows, line by line, one blank wherever there are several."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(" ".join(strip.text.split()) for strip in strips)


def notices(pilot: Pilot[object]) -> list[str]:
    return [f"{each.title} {each.message}".strip() for each in pilot.app._notifications]
