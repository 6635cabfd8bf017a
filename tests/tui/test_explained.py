"""Help texts, in whatever width there is."""

from __future__ import annotations

import pytest

from lvm_tui.modes import MODES
from lvm_tui.widgets.explained import parts_of, rows_of

TEXT = """\
Jobs train from top to bottom, one at a time; a failed one
never stops the rest.

[b]time[/b]   of a waiting job is measured: seconds of an epoch
       in the newest run of that model
  [b]A[/b] offset  cosine with the next chunk\
"""


def rows(width: int, text: str = TEXT) -> list[str]:
    return [row.plain.rstrip() for row in rows_of(parts_of(text), width)]


def test_a_long_explanation_goes_on_beside_its_word() -> None:
    assert rows(50) == [
        "Jobs train from top to bottom, one at a time; a",
        "failed one never stops the rest.",
        "",
        "time   of a waiting job is measured: seconds of an",
        "       epoch in the newest run of that model",
        "  A offset  cosine with the next chunk",
    ]


def test_lines_of_the_source_are_joined_where_there_is_room() -> None:
    assert len(rows(200)) == 4


def test_where_there_is_no_room_beside_the_word_the_explanation_is_below() -> None:
    assert rows(30)[-2:] == ["  A offset", "    cosine with the next chunk"]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("width", [62, 84])
def test_the_help_of_no_screen_is_wider_than_its_dialog(mode: object, width: int) -> None:
    text = mode.kind().HELP_TEXT  # type: ignore[attr-defined]
    assert max(map(len, rows(width, text))) <= width
