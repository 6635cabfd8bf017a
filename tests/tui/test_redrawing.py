"""How much work a picture is: what is drawn again, and how a long log is read."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lvm_tui.live import CHUNK, Live

from . import scenes
from .conftest import MakeApp, Open
from .scripted import Plan, Script, begin, epoch
from .sources import FOUR, MemoryWorkspace

RUN = Plan().run


async def test_nothing_is_repainted_when_nothing_happened(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(scenes.training_with_alert()) as (app, pilot):
        drawn: list[str] = []
        for widget in app.screen.walk_children():
            monkeypatch.setattr(widget, "refresh", lambda *_, w=widget, **__: drawn.append(str(w)))
        frame = app.frame
        for _ in range(5):
            app.tick()
            await pilot.pause()
        assert app.frame is frame
        assert drawn == []


async def test_a_batch_repaints_the_header_and_the_charts_but_not_the_board(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = scenes.going_well()
    async with opened(desk) as (app, pilot):
        drawn: set[str] = set()
        for widget in app.screen.walk_children():
            name = widget.id or type(widget).__name__
            monkeypatch.setattr(widget, "refresh", lambda *_, n=name, **__: drawn.add(n))
        epoch(desk.runs[RUN], Plan(), 16, until=61)
        desk.runs[RUN].records[-61:-1] = []
        app.tick()
        await pilot.pause()
        assert "header" in drawn
        assert drawn <= {"header", "loss", "cosine"}  # a chart, if one of its cells changed


def long_log() -> MemoryWorkspace:
    plan = Plan(batches=2 * CHUNK, epochs=2)
    script = Script()
    begin(script, plan)
    epoch(script, plan, 1)
    epoch(script, plan, 2)
    return MemoryWorkspace({RUN: script}, jobs=FOUR)


def test_a_long_log_is_read_in_pieces() -> None:
    time = iter(range(10_000))
    live = Live(long_log(), monotonic=lambda: float(next(time)))
    pieces = [live.poll().run]
    while live.frame.catching_up:
        pieces.append(live.poll().run)
    read = [run.records for run in pieces if run is not None]
    assert len(read) >= 3
    assert all(after - before <= CHUNK for before, after in pairwise([0, *read]))
    assert live.frame.run is not None
    assert live.frame.run.loss.last_step == 4 * CHUNK


async def test_a_long_log_is_read_to_its_end_without_waiting_for_the_next_tick(
    make_app: MakeApp,
) -> None:
    app = make_app(long_log())
    time = iter(range(10_000))
    app.live._monotonic = lambda: float(next(time))
    async with app.run_test(size=(80, 24)) as pilot:
        while app.frame.catching_up:
            await pilot.pause()
        assert app.frame.run is not None
        assert app.frame.run.loss.last_step == 4 * CHUNK
