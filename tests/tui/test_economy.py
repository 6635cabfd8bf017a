"""What is not drawn: rows that are as they were, progress that nobody can read, dots on dots."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Region

from lvm_tui.pacing import CALM, PROGRESS, Pacing
from lvm_tui.state.curves import Curve
from lvm_tui.state.fold import fold_all
from lvm_tui.state.views import Alert, Frame, RunnerView, RunView
from lvm_tui.widgets.dashes import dashes
from lvm_tui.widgets.economy import CALM_REST, REST, changed_lines, changed_rows, rest
from lvm_tui.widgets.loss_chart import LineChart, Look, Plot, plot_of
from lvm_tui.widgets.plotting import linear_axis
from lvm_tui.widgets.run_header import RunHeader

from .scripted import Plan, Script, begin, epoch

PLAIN, RED = Style.null(), Style(color="red")


def test_only_rows_that_differ_in_text_or_style_are_drawn() -> None:
    before = [[("a", PLAIN)], [("b", PLAIN)], [("c", PLAIN)]]
    after = [[("a", PLAIN)], [("b", RED)], [("d", PLAIN)], [("e", PLAIN)]]
    assert changed_rows(before, after) == [1, 2, 3]
    assert changed_rows(before, before) == []


def test_lines_that_may_wrap_are_drawn_as_a_whole() -> None:
    short, long = [Content("a"), Content("b")], [Content("a"), Content("b" * 9)]
    assert changed_lines(short, [Content("a"), Content.styled("b", "bold")], 5) == [1]
    assert changed_lines(short, long, 5) is None
    assert changed_lines(short, short[:1], 5) is None


def test_a_picture_that_cost_much_is_followed_by_a_longer_rest() -> None:
    assert rest(0.001, 100, calm=False) == REST
    assert rest(0.001, 20_000, calm=False) == pytest.approx(10.0)
    assert rest(0.05, 100, calm=False) == pytest.approx(10.0)
    assert rest(0.001, 100, calm=True) == CALM_REST
    assert rest(0.001, 3_000, calm=True) == pytest.approx(20.0)


# ------------------------------------------------------------------ dashes


def test_a_dashed_line_has_a_few_dots_a_column_however_many_points_it_has() -> None:
    points = [(float(i), math.sin(i)) for i in range(5_000)]
    dots = dashes(points, linear_axis(0, 4_999, 4), linear_axis(-1, 1, 4), 50, 10)
    assert len(dots) < 50 * 60
    assert max(value for _, value in dots) == max(value for _, value in points)


def test_every_measured_point_has_its_dot_where_they_are_few() -> None:
    points = [(0.0, 1.0), (3.0, 2.0), (10.0, 0.5)]
    x, y = linear_axis(0, 10, 4), linear_axis(0, 3, 4)
    dots = dashes(points, x, y, 50, 10)
    assert set(points) <= set(dots)
    dashed = [k for k in range(50) if any(k <= at * 5 < k + 1 for at, _ in dots)]
    assert 20 <= len(dashed) <= 32  # about half of the columns


def test_one_point_is_a_dot() -> None:
    axis = linear_axis(0, 10, 4)
    assert dashes([(3.0, 1.0)], axis, axis, 50, 10) == [(3.0, 1.0)]
    assert dashes([], axis, axis, 50, 10) == []


# ------------------------------------------------------------------ pace of frames


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def training() -> tuple[Script, RunView]:
    script = Script()
    begin(script, Plan())
    epoch(script, Plan(), 1, until=5)
    return script, fold_all(RunView(), script.records)


def test_progress_is_shown_twice_a_second_and_news_at_once() -> None:
    _, run = training()
    clock = Clock()
    pacing = Pacing(clock)
    assert pacing.due(Frame(run=run))
    assert pacing.due(Frame(run=replace(run, batch=6)))
    assert not pacing.due(Frame(run=replace(run, batch=7)))
    assert pacing.due(Frame(run=replace(run, batch=8, phase="paused")))
    assert not pacing.due(Frame(run=replace(run, batch=9, phase="paused")))
    clock.now += PROGRESS
    assert pacing.due(Frame(run=replace(run, batch=9, phase="paused")))


def test_calm_an_epoch_waits_its_ten_seconds_and_what_calls_for_a_person_does_not() -> None:
    script, run = training()
    clock = Clock()
    pacing = Pacing(clock)
    assert pacing.due(Frame(run=run), calm=True)
    assert pacing.due(Frame(run=replace(run, batch=6)), calm=True)
    epoch(script, Plan(), 1)
    later = fold_all(RunView(), script.records)
    assert later.history
    assert later.log != run.log
    assert not pacing.due(Frame(run=later), calm=True)
    clock.now += CALM - 0.1
    assert not pacing.due(Frame(run=later), calm=True)
    paused = Frame(run=replace(later, phase="paused"))
    assert pacing.due(paused, calm=True)
    alert = Alert("gru", "collapse-1", "collapse", "alarm", "COLLAPSED", "", 1, 0.0)
    alarmed = replace(paused, run=replace(later, phase="paused", alerts=(alert,)))
    assert pacing.due(alarmed, calm=True)
    clock.now += 0.1
    assert pacing.due(Frame(run=replace(later, batch=7)), calm=True)


def test_calm_the_gauges_wait_their_turn_too() -> None:
    frame = Frame(run=training()[1])
    clock = Clock()
    pacing = Pacing(clock)
    assert pacing.due(frame, calm=True)
    assert pacing.due(frame, calm=True, more=True)
    assert not pacing.due(frame, calm=True, more=True)
    clock.now += CALM
    assert pacing.due(frame, calm=True, more=True)


def test_a_frame_is_shown_once() -> None:
    frame = Frame(run=training()[1])
    pacing = Pacing(Clock())
    assert pacing.due(frame)
    assert not pacing.due(frame)


def test_the_end_of_reading_a_log_is_news() -> None:
    _, run = training()
    pacing = Pacing(Clock())
    assert pacing.due(Frame(run=run, catching_up=True))
    assert pacing.due(Frame(run=replace(run, batch=9), catching_up=True))
    assert pacing.due(Frame(run=replace(run, batch=10)))


# ------------------------------------------------------------------ widgets


class Stage(App[None]):
    def compose(self) -> ComposeResult:
        yield LineChart(id="chart")
        yield RunHeader(id="header")

    CSS = "RunHeader { width: 80; height: 2; } LineChart { width: 80; height: 12; }"


def grown(plot: Plot, steps: int) -> Plot:
    values = [1.0 / step for step in range(1, steps + 1)]
    return replace(plot, curve=Curve().extended(range(1, steps + 1), values), last_step=steps)


async def test_a_growing_curve_waits_its_turn_and_a_key_does_not() -> None:
    async with Stage().run_test() as pilot:
        chart = pilot.app.query_one(LineChart)
        clock = Clock()
        chart.monotonic = clock
        plot = grown(plot_of(training()[1], "loss", Look()), 10)
        chart.show(plot)
        await pilot.pause()
        first = chart.render().plain
        clock.now += 100.0
        chart.show(grown(plot, 20))
        await pilot.pause()
        second = chart.render().plain
        assert second != first
        chart.show(grown(plot, 500))
        await pilot.pause()
        assert chart.render().plain == second
        chart.show(replace(grown(plot, 600), look=Look(log=True)))
        await pilot.pause()
        assert "(log)" in chart.render().plain
        clock.now += 100.0
        chart.show(replace(grown(plot, 900), look=Look(log=True)))
        await pilot.pause()
        assert chart._plot is not None
        assert chart._plot.last_step == 900


async def test_a_curve_that_waited_is_drawn_when_its_turn_comes() -> None:
    async with Stage().run_test() as pilot:
        chart = pilot.app.query_one(LineChart)
        plot = grown(plot_of(training()[1], "loss", Look()), 10)
        for steps in (10, 20, 700):
            chart.show(grown(plot, steps))
            await pilot.pause()
        assert chart._plot is not None
        while chart._plot.last_step != 700:  # the timer's
            await pilot.pause(0.02)


async def test_a_header_sends_only_the_line_that_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage().run_test() as pilot:
        header = pilot.app.query_one(RunHeader)
        run = training()[1]
        header.show_frame(Frame(run=run, runner=RunnerView(alive=True)))
        await pilot.pause()
        regions: list[Region] = []
        monkeypatch.setattr(header, "refresh", lambda *found, **_: regions.extend(found))
        later = replace(run, batch=run.batch + 1)
        header.show_frame(Frame(run=later, runner=RunnerView(alive=True)))
        assert [region.y for region in regions] == [1]
