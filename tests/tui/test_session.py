"""What is left to do when the app has ended, in whatever way it ended."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from lvm.config import NotifySettings
from lvm.errors import DataError
from lvm.events import AlertRaised
from lvm_tui.app import LvmApp
from lvm_tui.engine import Engine, Reason
from lvm_tui.session import Session
from lvm_tui.terminal import SLOW, SLOW_IN_A_ROW, ForgivingFile

from . import scenes


class EndingApp:
    """Ends at once, in the way it is told to."""

    def __init__(self, end: Callable[[], str | None]) -> None:
        self.run = end


def session(end: Callable[[], str | None], engine: Engine | None) -> Session:
    return Session(cast("LvmApp", EndingApp(end)), scenes.going_well(), engine)


class Work:
    """Waits to be stopped or let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.ended: Reason | None = None
        self.error: Exception | None = None

    def run(self, stop: threading.Event) -> Reason:
        while not self.go.wait(0.01):
            if stop.is_set():
                self.ended = "asked"
                return "asked"
        if self.error is not None:
            raise self.error
        self.ended = "empty"
        return "empty"


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def engine(work: Work) -> Engine:
    engine = Engine(work.run, lambda: False)
    engine.start(lambda error: None)
    return engine


def test_a_screen_that_broke_does_not_end_the_training(
    work: Work, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    def broke() -> str | None:
        threading.Timer(0.1, work.go.set).start()
        return None

    assert session(broke, engine).run() == 0
    assert work.ended == "empty"
    assert "training goes on here" in capsys.readouterr().out


def test_without_its_screen_the_terminal_is_still_told_of_an_alarm(
    work: Work,
    engine: Engine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = scenes.going_well()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    def leave() -> str:
        def alarm() -> None:
            run = next(iter(desk.runs))
            desk.runs[run].add(AlertRaised("collapse-6", "collapse", "alarm", "COLLAPSED"))
            work.go.set()

        threading.Timer(0.1, alarm).start()
        return "go_on"

    app, words = cast("LvmApp", EndingApp(leave)), NotifySettings(terminal="osc9")
    assert Session(app, desk, engine, words).run() == 0
    assert ": COLLAPSED\x1b" in capsys.readouterr().out


def test_a_screen_that_broke_with_nothing_to_finish_is_a_failure() -> None:
    assert session(lambda: None, None).run() == 1


def test_looking_only_ends_with_0() -> None:
    assert session(lambda: "quit", None).run() == 0


def test_stopping_waits_for_the_checkpoint(
    work: Work, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert session(lambda: "stop", engine).run() == 0
    assert work.ended == "asked"
    assert "stopping after a checkpoint" in capsys.readouterr().out


def test_leaving_an_engine_that_only_waits_for_jobs_ends_it(work: Work, engine: Engine) -> None:
    work.go.set()
    while engine.working:
        threading.Event().wait(0.01)
    assert engine.running
    assert session(lambda: "quit", engine).run() == 0
    assert not engine.running


def test_an_error_after_the_screen_is_gone_is_printed_and_is_the_exit_code(
    work: Work, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    work.error = DataError("no key 'targets'", where="x.npz", fix="give a file that has one")
    work.go.set()
    engine.wait(10.0)
    assert session(lambda: "go_on", engine).run() == 2
    error = capsys.readouterr().err
    assert "x.npz: no key 'targets'" in error
    assert "give a file that has one" in error


class Line:
    """A line that takes so long for every picture, on a clock of its own."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.time = 0.0

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        self.time += self.seconds


@pytest.mark.parametrize(("seconds", "slow"), [(SLOW * 2, 1), (SLOW / 2, 0)])
def test_a_slow_line_is_noticed_once(seconds: float, slow: int) -> None:
    told: list[str] = []
    line = Line(seconds)
    file = ForgivingFile(
        cast("Any", line), lambda: None, lambda: told.append("slow"), lambda: line.time
    )
    for _ in range(SLOW_IN_A_ROW + 3):
        file.write("picture")
    assert len(told) == slow


def test_a_single_hiccup_is_no_slow_line() -> None:
    told: list[str] = []
    line = Line(SLOW * 2)
    file = ForgivingFile(
        cast("Any", line), lambda: None, lambda: told.append("slow"), lambda: line.time
    )
    for _ in range(4 * SLOW_IN_A_ROW):
        line.seconds = SLOW * 2 if line.seconds == 0.0 else 0.0
        file.write("picture")
    assert told == []
