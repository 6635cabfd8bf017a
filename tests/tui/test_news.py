"""What is news, and what was there before somebody looked."""

from __future__ import annotations

from dataclasses import replace

from lvm import events as e
from lvm_tui.live import Live
from lvm_tui.state.news import news
from lvm_tui.state.views import Alert, Frame, RunView

from . import scenes
from .scripted import Plan, Script, begin, end, epoch
from .sources import FOUR, MemoryWorkspace

RUN = Plan().run


def told(live: Live) -> list[str]:
    """Titles of the news of the next look."""
    before = live.frame
    return [notice.title for notice in news(before, live.poll())]


def opened(desk: MemoryWorkspace) -> Live:
    """After the first looks, of which nothing was news."""
    live = Live(desk)
    for _ in range(12):
        assert told(live) == []
    return live


def test_what_happened_before_is_no_news_however_slowly_it_is_read() -> None:
    desk = scenes.queue_finished()
    ticks = iter(range(100_000))
    live = Live(desk, monotonic=lambda: next(ticks) * 0.009)  # a log or two a look
    for _ in range(60):
        assert told(live) == []
    assert len(live.frame.caught_up) == 4


def test_an_alert_and_an_end_are_told_once() -> None:
    desk = scenes.going_well()
    live = opened(desk)
    desk.runs[RUN].add(e.AlertRaised("collapse-6", "collapse", "alarm", "COLLAPSED"))
    end(desk.runs[RUN], Plan())
    assert told(live) == [f"alarm in {RUN}", f"{RUN} completed"]
    assert told(live) == []


def test_the_end_of_a_run_is_told_even_when_the_next_one_has_begun() -> None:
    desk = scenes.going_well()
    live = opened(desk)
    end(desk.runs[RUN], Plan())
    after = Plan("gru_5cat_20251030_230000", "gru")
    script = Script(now=desk.runs[RUN].now)
    begin(script, after)
    epoch(script, after, 1, until=3)
    desk.runs[after.run] = script
    desk.rows = (replace(FOUR[0], state="done"), replace(FOUR[1], state="running", run=after.run))
    assert told(live) == [f"{RUN} completed"]
    assert told(live) == []


def test_a_run_that_begins_and_fails_between_two_looks_is_told() -> None:
    desk = scenes.going_well()
    live = opened(desk)
    plan = Plan("gru_5cat_20251030_230000", "gru")
    script = Script(now=desk.runs[RUN].now)
    script.add(e.AlertRaised("data_quality-1", "data_quality", "alarm", "DATA REFUSED"))
    end(script, plan, "failed", "the data has no direction")
    desk.runs[plan.run] = script
    desk.rows = (replace(FOUR[0], state="done"), replace(FOUR[1], state="failed", run=plan.run))
    assert told(live) == [f"alarm in {plan.run}", f"{plan.run} failed"]


def test_before_anything_was_read_there_is_nothing_to_compare_with() -> None:
    over = Frame(run=RunView(run=RUN, phase="finished"))
    assert news(Frame(catching_up=True), over) == []


def test_a_first_run_that_alarms_at_once_is_told() -> None:
    """Nothing was ever trained here; the next look finds a run with an alert."""
    alert = Alert(RUN, "data_quality-1", "data_quality", "alarm", "DATA REFUSED", "", 0, 0.0)
    after = Frame(run=RunView(run=RUN, alerts=(alert,)), alerts=(alert,))
    assert [notice.title for notice in news(Frame(), after)] == [f"alarm in {RUN}"]
