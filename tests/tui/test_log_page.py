"""The whole log: read in pieces, filtered, followed, scrolled, copied."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from textual.widgets import Input

from lvm import events as e
from lvm.records import encode
from lvm_tui.app import LvmApp
from lvm_tui.log_pages import FilePages
from lvm_tui.state.fold import fold_all
from lvm_tui.state.logbook import Filter, LogBook
from lvm_tui.state.views import RunView
from lvm_tui.widgets.log_page import LogPage
from lvm_tui.widgets.log_tail import LogTail
from lvm_tui.widgets.log_view import LogView

from . import scenes
from .conftest import Open, body, look
from .scripted import Plan, Script, begin, epoch, whole_run
from .sources import MemoryPages

RUN = Plan().run


def all_of(pages: FilePages) -> list[str]:
    while pages.read():
        pass
    lines = [pages.line(at) for at in range(len(pages))]
    return [line.text for line in lines if line is not None]


def book_of(*scripts: Script) -> LogBook:
    book = LogBook([MemoryPages(script) for script in scripts], time.monotonic)
    while book.advance(1.0):
        pass
    return book


def texts(book: LogBook) -> list[str]:
    return [book.line(at).text for at in range(len(book))]


@pytest.fixture
def script() -> Script:
    made = Script()
    whole_run(made, Plan())
    return made


# ------------------------------------------------------------------ from the file


def test_the_lines_are_those_of_the_log_tail(script: Script, tmp_path: Path) -> None:
    pages = FilePages(script.write(tmp_path / "events.jsonl"))
    folded = fold_all(RunView(), script.records)
    assert all_of(pages) == [line.text for line in folded.log]


def test_a_log_is_read_on_from_where_it_ended(script: Script, tmp_path: Path) -> None:
    path = script.write(tmp_path / "events.jsonl")
    pages = FilePages(path)
    before = len(all_of(pages))
    script.add(e.Paused(step=7, by="ada"))
    line = encode(script.records[-1])
    with path.open("a") as file:
        file.write(line[:20])
        file.flush()
        assert len(all_of(pages)) == before  # a torn line is none
        file.write(line[20:] + "\n")
    assert all_of(pages)[before:] == ["paused at step 7 by ada"]


def test_a_replaced_log_is_read_anew(script: Script, tmp_path: Path) -> None:
    path = script.write(tmp_path / "events.jsonl")
    pages = FilePages(path)
    all_of(pages)
    other = Script()
    begin(other, Plan())
    other.write(path.with_name("other")).replace(path)
    assert len(all_of(pages)) == 1
    assert pages.restarts == 1


def test_broken_and_unknown_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    script = Script()
    begin(script, Plan())
    odd = '{"type":"paused","step":7,"seq":1,"time":3.0}'  # another order of keys
    unknown = '{"seq":2,"time":4.0,"type":"comet"}'
    path.write_bytes("\n".join([encode(script.records[0]), "\udcff{", unknown, odd, ""]).encode(
        errors="surrogateescape"))  # fmt: skip
    assert "paused at step 7" in all_of(FilePages(path))


def test_a_missing_log_is_empty(tmp_path: Path) -> None:
    assert all_of(FilePages(tmp_path / "nothing.jsonl")) == []


def test_millions_of_batches_are_no_lines(tmp_path: Path) -> None:
    script = Script()
    begin(script, Plan())
    epoch(script, Plan(batches=5000), 1)
    pages = FilePages(script.write(tmp_path / "events.jsonl"))
    assert len(all_of(pages)) == 2


# ------------------------------------------------------------------ the book


def test_two_logs_are_one_in_the_order_of_time(script: Script) -> None:
    other = Script(now=script.records[0].time - 1.0)
    other.add(e.TaskStarted("text", "before it"))
    other.now = script.records[200].time
    other.add(e.TaskStarted("text", "meanwhile"))
    book = book_of(other, script)
    times = [book.line(at).time for at in range(len(book))]
    assert times == sorted(times)
    assert texts(book)[0] == "before it …"


@pytest.mark.parametrize(
    ("kind", "words", "count"),
    [
        ("all", "epoch 20/20", 1),
        ("epochs", "", 20),
        ("5CAT", "", 8),
        ("alerts", "", 2),
        ("files", "", 4),
        ("alerts", "OOD", 1),
        ("all", "BACKWARD ood", 1),
        ("important", "backward", 2),
        ("all", "nowhere", 0),
    ],
)
def test_a_filter_takes_kind_and_words(script: Script, kind: str, words: str, count: int) -> None:
    book = book_of(script)
    book.use(Filter.of(kind, words))
    while book.advance(1.0):
        pass
    assert len(book) == count


def test_a_filter_works_in_pieces(script: Script) -> None:
    for number in range(300):
        script.add(e.Paused(step=number))
    ticks = iter(range(10_000))
    book = LogBook([MemoryPages(script)], lambda: float(next(ticks)))
    book.use(Filter.of("all", "paused"))
    pieces = 1
    while book.advance(0.5):
        pieces += 1
    assert pieces > 3
    assert len(book) == 300


# ------------------------------------------------------------------ on the screen


def lines(app: LvmApp) -> list[str]:
    return app.screen.query_one(LogView).visible_text().splitlines()


def heading(app: LvmApp) -> str:
    return str(app.screen.query_one(LogPage).border_title)


async def test_t_shows_the_whole_log_and_follows_it(opened: Open) -> None:
    desk = scenes.going_well()
    async with opened(desk, size=(80, 24)) as (app, pilot):
        await pilot.press("t")
        await pilot.pause()
        assert body(app) == "whole_log"
        assert not app.screen.query_one(LogTail).display
        assert "▼ following" in heading(app)
        assert "saved checkpoint_epoch15.pt" in lines(app)[-1]
        desk.runs[RUN].add(e.Paused(step=1260, by="ada"))
        await look(app, pilot)
        await pilot.pause()
        assert "paused at step 1,260 by ada" in lines(app)[-1]
        await pilot.press("t")
        assert body(app) == "training"
        assert app.screen.query_one(LogTail).display


async def test_scrolling_up_stops_following_and_f_goes_on(opened: Open) -> None:
    desk = scenes.going_well()
    async with opened(desk, size=(80, 24)) as (app, pilot):
        await pilot.press("t")
        await pilot.pause()
        await pilot.press("home")
        await pilot.pause()
        top = lines(app)[0]
        assert "started on cpu" in top
        desk.runs[RUN].add(e.Paused(step=1260, by="ada"))
        await look(app, pilot)
        assert lines(app)[0] == top
        assert "scrolled, f follows, 1 new" in heading(app)
        await pilot.press("f")
        await pilot.pause()
        assert "paused at step" in lines(app)[-1]
        assert "▼ following" in heading(app)


async def test_slash_filters_by_words_and_escape_goes_back(opened: Open) -> None:
    async with opened(scenes.training_with_alert(), size=(80, 24)) as (app, pilot):
        await pilot.press("slash", *"margin ood")
        await pilot.pause()
        assert body(app) == "whole_log"
        assert len(lines(app)) == 2
        assert "2 of 13 lines" in heading(app)
        await pilot.press("escape")
        assert isinstance(app.screen.focused, LogView)
        await pilot.press("escape")
        assert body(app) == "training"


async def test_v_and_clicks_choose_a_kind(opened: Open) -> None:
    async with opened(scenes.training_with_alert(), size=(80, 24)) as (app, pilot):
        await pilot.press("t", "v", "v")
        await pilot.pause()
        assert len(lines(app)) == 2
        assert all("BACKWARD" in line for line in lines(app))
        await pilot.click("#log_kind", offset=(1, 0))
        await pilot.pause()
        assert "13 lines" in heading(app)


async def test_y_copies_the_lines_in_sight(opened: Open) -> None:
    async with opened(scenes.training_with_alert(), size=(80, 24)) as (app, pilot):
        await pilot.press("t", "v", "v", "y")
        assert app.clipboard.splitlines()[0].endswith(
            "▲ BACKWARD BIAS  VAL margin −0.084: closest to k=0, the chunk it just read"
        )


async def test_the_next_run_brings_its_own_log(opened: Open) -> None:
    desk = scenes.going_well()
    async with opened(desk) as (app, pilot):
        await pilot.press("t")
        plan = Plan("gru_5cat_20251101_080000", "gru")
        script = Script(now=desk.runs[RUN].now)
        begin(script, plan)
        desk.runs[plan.run] = script
        desk.rows = ()
        await look(app, pilot)
        await pilot.pause()
        assert any("gru_5cat" in line for line in lines(app))
        assert not any("transformer" in line for line in lines(app))


async def test_a_click_on_the_last_lines_opens_the_log(opened: Open) -> None:
    async with opened(scenes.going_well(), size=(80, 24)) as (app, pilot):
        await pilot.click(LogTail)
        await pilot.pause()
        assert body(app) == "whole_log"


async def test_letters_typed_into_the_filter_are_no_commands(opened: Open) -> None:
    desk = scenes.going_well()
    async with opened(desk) as (app, pilot):
        await pilot.press("slash", *"saq")
        assert app.screen.query_one(Input).value == "saq"
        assert desk.sent == []


async def test_a_line_longer_than_the_screen_is_read_by_moving_sideways(opened: Open) -> None:
    desk = scenes.going_well()
    long = "DISK FULL  " + "a long story " * 9 + "and its end"
    desk.runs[RUN].add(e.AlertRaised("disk_full-1", "disk_full", "alarm", long))
    async with opened(desk, size=(80, 24)) as (app, pilot):
        await pilot.press("t")
        await look(app, pilot)

        def last() -> str:
            view = app.screen.query_one(LogView)
            at = min(len(view.book or ()), view.size.height) - 1
            return view.render_line(at).text

        assert last().rstrip().endswith("…")
        assert "DISK FULL" in last()
        await pilot.press(*["right"] * 9)  # no further than there is something to read
        assert last().rstrip().endswith("and its end")
        assert len(last()) == app.screen.query_one(LogView).scrollable_content_region.width
        await pilot.press(*["left"] * 9)
        assert "DISK FULL" in last()
