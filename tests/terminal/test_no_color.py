"""NO_COLOR: what is written to the terminal holds no colour at all, and is still understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.terminal import Terminal
from tests.tui.queue_scenes import many_runs

SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
COLOURS = {*range(30, 39), *range(40, 49), *range(90, 108)}

ESCAPE = "\x1b"

SCREENS = (
    ("1", "5CAT"),
    ("g", "all numbers"),
    (ESCAPE, ""),
    ("h", "newest first"),
    (ESCAPE, ""),
    ("t", "following"),
    (ESCAPE, ""),
    ("2", "Queue  "),
    ("3", "Promote  "),
    ("4", "Services  "),
    ("5", "quality (1/3)"),
    ("d", "Diagnose a data file"),
    (ESCAPE, ""),
    ("6", "sorted by newest"),
    (" ", "1 compared"),
    ("e", "Export as CSV"),
    (ESCAPE, ""),
    ("?", "Compare none"),
    (ESCAPE, ""),
    ("\x10", "Search for commands"),
)
"""What is pressed, and what is then to be seen; after ESCAPE what was opened is gone."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    many_runs(tmp_path)
    begun = Terminal(
        "-m",
        "lvm_tui",
        "watch",
        cwd=tmp_path,
        columns=80,
        rows=24,
        env={"NO_COLOR": "1", "LANG": "C.UTF-8"},
    )
    yield begun
    begun.kill()


def colours(written: bytes) -> set[bytes]:
    """The escape sequences that set a colour."""
    found = set()
    for sequence in SGR.finditer(written):
        codes = [int(code) for code in re.split(rb"[;:]", sequence[1]) if code]
        if COLOURS & set(codes):
            found.add(sequence[0])
    return found


def test_no_screen_sends_a_colour(terminal: Terminal) -> None:
    terminal.wait_for("1 Dash", "5CAT")
    opened = ""
    for keys, words in SCREENS:
        terminal.press(keys)
        if keys == ESCAPE:
            terminal.wait_until(lambda gone=opened: gone not in terminal.text, "way back")
        else:
            terminal.wait_for(words)
        opened = words
    assert colours(terminal.written) == set()
    assert b"\x1b[1m" in terminal.written  # it is not plain either
