"""The real program in a real pseudo-terminal: keys, signals, and a terminal that goes away."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import psutil
import pyte
import pytest

from lvm_tui.terminal import ForgivingFile, is_gone

PROGRAM = Path(__file__).with_name("lifecycle_program.py")
PATIENCE = 20.0


class Terminal:
    """The program, what it writes, and what a person would see of it."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.screen = pyte.Screen(100, 30)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        # readline, which pytest imports, exports a size of its own to the workers of xdist
        not_ours = ("NO_COLOR", "COLUMNS", "LINES")
        inherited = {name: value for name, value in os.environ.items() if name not in not_ours}
        variables = {**inherited, "TERM": "xterm-256color", **(environment or {})}
        self.child = pexpect.spawn(
            sys.executable,
            [str(PROGRAM), str(folder)],
            dimensions=(30, 100),
            env=variables,  # type: ignore[arg-type]
            timeout=PATIENCE,
        )
        self.process = psutil.Process(self.child.pid)

    def read(self) -> None:
        with contextlib.suppress(pexpect.TIMEOUT, pexpect.EOF):
            data = self.child.read_nonblocking(65_536, timeout=0.05)
            self.written += data
            *before, after = data.split(b"\x1b[?1049l")  # pyte knows no second screen
            for part in before:
                self._stream.feed(part)
                self.screen.reset()
            self._stream.feed(after)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"{what}; the screen:\n" + "\n".join(self.screen.display)
            self.read()

    def shows(self, text: str) -> None:
        self.until(lambda: any(text in line for line in self.screen.display), f"no {text!r}")

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def ended(self) -> str:
        ended = self.folder / "ended"
        self.until(lambda: self.has("ended") and ended.read_text() != "", "it has not ended")
        return ended.read_text()

    def exit_code(self) -> int | None:
        self.until(lambda: not self.child.isalive(), "it has not exited")
        return self.child.exitstatus

    def is_idle(self) -> bool:
        """Whether the program does nothing, the terminal not being read meanwhile."""
        before = sum(self.process.cpu_times()[:2])
        time.sleep(0.3)
        return sum(self.process.cpu_times()[:2]) - before < 0.02

    def hang_up(self) -> None:
        """The terminal's window is closed."""
        os.close(self.child.child_fd)
        self.child.child_fd = -1
        self.child.closed = self.child.ptyproc.closed = True


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    terminal.until(lambda: terminal.has("started"), "the work has not begun")
    terminal.shows("transformer_5cat")
    yield terminal
    with contextlib.suppress(psutil.NoSuchProcess):
        terminal.process.kill()


def test_a_terminal_whose_other_end_was_closed_is_known_to_be_gone() -> None:
    master, slave = os.openpty()
    try:
        assert not is_gone(slave)
        os.close(master)
        assert is_gone(slave)
    finally:
        os.close(slave)


def test_what_is_written_to_a_dead_terminal_is_lost_without_an_error() -> None:
    master, slave = os.openpty()
    lost: list[bool] = []
    with os.fdopen(slave, "w") as file:
        screen = ForgivingFile(file, lambda: lost.append(True), lambda: None)
        screen.write("seen")
        screen.flush()
        assert lost == []
        os.close(master)
        screen.write("unseen")
        screen.flush()
        assert lost == [True]
        with contextlib.suppress(OSError):
            file.close()


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_leaving_with_go_on_keeps_the_work_and_prints_plain_lines(terminal: Terminal) -> None:
    terminal.child.send("q")
    terminal.shows("go on without a screen")
    terminal.child.send("g")
    terminal.shows("training goes on here")
    (terminal.folder / "go").touch()
    terminal.shows("saved checkpoint_epoch7.pt")
    (terminal.folder / "finish").touch()
    assert terminal.ended() == "empty"
    assert terminal.exit_code() == 0


def test_leaving_with_stop_stops_after_a_checkpoint(terminal: Terminal) -> None:
    terminal.child.send("q")
    terminal.shows("stop after a checkpoint")
    terminal.child.send("s")
    assert terminal.ended() == "asked"
    assert terminal.exit_code() == 0


def test_ctrl_c_asks_like_q_and_staying_changes_nothing(terminal: Terminal) -> None:
    terminal.child.sendcontrol("c")
    terminal.shows("go on without a screen")
    terminal.child.send("y")
    terminal.until(
        lambda: not any("go on without" in line for line in terminal.screen.display), "still asks"
    )
    assert terminal.child.isalive()
    assert not terminal.has("ended")


def test_sigterm_stops_after_a_checkpoint_and_exits_with_0(terminal: Terminal) -> None:
    terminal.child.kill(signal.SIGTERM)
    assert terminal.ended() == "asked"
    assert terminal.exit_code() == 0


def test_a_closed_terminal_drops_the_screen_and_the_work_goes_on_quietly(
    terminal: Terminal,
) -> None:
    terminal.hang_up()
    fd0 = Path(f"/proc/{terminal.child.pid}/fd/0")
    end = time.monotonic() + PATIENCE
    while fd0.readlink() != Path("/dev/null"):
        assert time.monotonic() < end, "the terminal was not let go"
        time.sleep(0.02)
    before = sum(terminal.process.cpu_times()[:2])
    start = time.monotonic()
    time.sleep(1.0)  # the claim is about time that passes: it must not spin
    used = sum(terminal.process.cpu_times()[:2]) - before
    assert used < 0.3 * (time.monotonic() - start)
    assert not terminal.has("ended")
    (terminal.folder / "finish").touch()
    while not (terminal.folder / "ended").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert (terminal.folder / "ended").read_text() == "empty"
    while not gone(terminal.process):
        assert time.monotonic() < end, "it has not exited"
        time.sleep(0.02)


def test_a_terminal_that_was_stuck_gets_one_whole_picture_of_now(terminal: Terminal) -> None:
    """Ctrl-S, a suspended ssh: nothing reads, while a person's keys go on changing the screen."""
    terminal.child.send("g" * 201)
    end = time.monotonic() + PATIENCE
    while not terminal.is_idle():
        assert time.monotonic() < end
    before = len(terminal.written)
    terminal.screen.reset()  # nothing of what was seen may be needed
    terminal.shows("all numbers")
    for part in ("transformer_5cat", "BACKWARD BIAS", "rank of the true next", "1 Dashboard"):
        terminal.shows(part)
    assert len(terminal.written) - before < 150_000  # of a megabyte
    terminal.child.send("g")
    terminal.shows("loss")


def test_sighup_alone_drops_the_screen_too(terminal: Terminal) -> None:
    terminal.child.kill(signal.SIGHUP)
    terminal.until(
        lambda: Path(f"/proc/{terminal.child.pid}/fd/1").readlink() == Path("/dev/null"),
        "the terminal was not let go",
    )
    (terminal.folder / "finish").touch()
    assert terminal.ended() == "empty"
    assert terminal.exit_code() == 0


def test_ctrl_c_without_a_screen_stops_after_a_checkpoint(terminal: Terminal) -> None:
    terminal.child.send("q")
    terminal.shows("go on without a screen")
    terminal.child.send("g")
    terminal.shows("training goes on here")
    terminal.child.sendcontrol("c")
    assert terminal.ended() == "asked"
    assert terminal.exit_code() == 130


def test_an_error_of_the_work_is_shown_as_a_modal_and_is_the_exit_code(terminal: Terminal) -> None:
    (terminal.folder / "fail").touch()
    (terminal.folder / "finish").touch()
    terminal.shows("the fuse blew")
    terminal.child.send("c")
    terminal.until(
        lambda: not any("fuse" in line for line in terminal.screen.display), "still shown"
    )
    terminal.child.send("q")
    assert terminal.exit_code() == 3


def test_the_terminal_is_given_back_as_it_was(terminal: Terminal) -> None:
    (terminal.folder / "finish").touch()
    terminal.ended()
    terminal.child.send("q")
    assert terminal.exit_code() == 0
    terminal.read()
    assert terminal.written.rstrip().rfind(b"\x1b[?1049l") > terminal.written.rfind(b"\x1b[?1049h")


def test_a_locale_without_unicode_gets_plain_ascii(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, {"LC_ALL": "en_US.ISO-8859-1"})
    try:
        terminal.shows("BACKWARD BIAS")
        (tmp_path / "finish").touch()
        terminal.ended()
        terminal.child.send("q")
        assert terminal.exit_code() == 0
        assert terminal.written.isascii()
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            terminal.process.kill()
