"""A terminal that does not read holds nobody up for good."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from lvm_tui.line import PATIENCE, Line, takes_words

MORE_THAN_IT_HOLDS = "x" * 200_000


class Pty:
    """Both ends; nobody reads unless told to."""

    def __init__(self) -> None:
        self.reader, self.terminal = os.openpty()
        self.line = Line.to(os.fdopen(os.dup(self.terminal), "w"))

    def read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            found += os.read(self.reader, 65_536)
        return found


@pytest.fixture
def pty() -> Iterator[Pty]:
    pty = Pty()
    yield pty
    os.close(pty.terminal)
    os.close(pty.reader)
    if pty.line is not None:
        pty.line.close()


def writing(line: Line, text: str) -> threading.Thread:
    thread = threading.Thread(target=line.write, args=(text,), daemon=True)
    thread.start()
    return thread


def test_everything_arrives_at_a_terminal_that_reads(pty: Pty) -> None:
    assert pty.line is not None
    thread = writing(pty.line, MORE_THAN_IT_HOLDS)
    assert pty.read(len(MORE_THAN_IT_HOLDS)) == MORE_THAN_IT_HOLDS.encode()
    thread.join(10)
    assert not thread.is_alive()


def test_a_terminal_that_does_not_read_is_waited_for_until_the_way_out(pty: Pty) -> None:
    assert pty.line is not None
    thread = writing(pty.line, MORE_THAN_IT_HOLDS)
    thread.join(PATIENCE * 1.5)
    assert thread.is_alive()
    pty.line.hurry()
    thread.join(PATIENCE * 5)
    assert not thread.is_alive()
    pty.line.write("nothing more is tried")


def test_whether_a_terminal_takes_words_is_seen_without_writing(pty: Pty) -> None:
    assert pty.line is not None
    assert takes_words(pty.terminal, 0.0)
    thread = writing(pty.line, MORE_THAN_IT_HOLDS)
    while takes_words(pty.terminal, 0.0):
        pass
    pty.line.hurry()
    thread.join(PATIENCE * 5)


def test_the_other_writers_of_the_terminal_are_not_changed(pty: Pty) -> None:
    assert os.get_blocking(pty.terminal)


def test_a_file_that_is_no_terminal_has_no_line() -> None:
    with open(os.devnull, "w") as file:  # noqa: PTH123
        assert Line.to(file) is None
