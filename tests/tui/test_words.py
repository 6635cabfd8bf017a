"""Numbers and glyphs as people read them."""

from __future__ import annotations

import unicodedata

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content

from lvm.events import AlertAcknowledged, TaskFinished
from lvm.records import Record
from lvm_tui.glyphs import Ascii, needs_ascii, to_ascii
from lvm_tui.numbers import clock, duration, fixed, large, rate, short, signed
from lvm_tui.state.wording import log_line
from lvm_tui.widgets.text import bar, clipped, fitted, sparkline, spread


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (fixed(0.5614), "0.561"),
        (fixed(-0.0841), "−0.084"),
        (fixed(None), "–"),
        (fixed(float("nan")), "–"),
        (signed(0.145), "+0.145"),
        (signed(-0.084), "−0.084"),
        (signed(-0.0003), "+0.000"),
        (fixed(-0.0003), "0.000"),
        (short(0.5), ".50"),
        (short(0.12, sign=True), "+.12"),
        (short(-0.15, sign=True), "−.15"),
        (short(1.25), "1.25"),
        (short(0.184, 3), ".184"),
        (duration(8.24), "8.2 s"),
        (duration(42.4), "42 s"),
        (duration(247), "4:07"),
        (clock(52), "0:52"),
        (clock(59.7), "1:00"),
        (clock(5525), "1:32:05"),
        (clock(None), "–"),
        (large(12_430), "12.4k"),
        (large(4_674_304), "4.7M"),
        (large(940), "940"),
        (large(0.4), "0.4"),
        (rate(5e-4), "5.0e-4"),
        (rate(0.0), "0"),
    ],
)
def test_numbers(text: str, expected: str) -> None:
    assert text == expected


def test_a_bar_has_one_width_whatever_its_share() -> None:
    assert {bar(share / 20, 17).cell_length for share in range(-2, 24)} == {17}
    assert bar(0.5, 4).plain == "━━──"
    assert bar(0.625, 4).plain == "━━╸─"


def test_a_sparkline_shows_the_last_values_and_leaves_gaps() -> None:
    assert sparkline([0.0, 1.0, None, 0.5], 4) == "▁█ ▅"
    assert sparkline([9.0, 0.0, 1.0], 2) == "▁█"
    assert sparkline([], 3) == "   "
    assert sparkline([2.0, 2.0], 4) == "▁▁  "


def test_what_matters_least_is_left_out_first() -> None:
    from textual.content import Content

    parts = [(0, Content("run")), (1, Content("device")), (3, Content("rate"))]
    assert fitted(parts, 80).plain == "run ── device ── rate"
    assert fitted(parts, 16).plain == "run ── device"
    assert fitted(parts, 3).plain == "run"
    assert spread(Content("left"), Content("right"), 8).plain == "left"
    assert spread(Content("left"), Content("right"), 12).plain == "left   right"


EVERYTHING = "─━╸╌│╭╮╰╯✓✗▲▶■◆‖•·→−–×…⣿⠁⡀⢀⠤▁▂▃▄▅▆▇█▉▊▋▌▍▎▏é²°"


def test_ascii_has_one_cell_for_one_cell() -> None:
    for character in EVERYTHING:
        replaced = to_ascii(character)
        assert replaced.isascii(), character
        assert len(replaced) == 1, character
        assert replaced.isprintable()
        assert replaced != "?", unicodedata.name(character)


def test_ascii_keeps_width_of_wide_characters_and_meaning_of_signs() -> None:
    assert to_ascii("模型") == "????"
    assert to_ascii("margin −0.084 ✗") == "margin -0.084 x"
    assert to_ascii("👩‍🚀️").count("?") == cell_len("👩‍🚀️")
    assert to_ascii("🔎 Search") == "/  Search"
    assert to_ascii("plain") == "plain"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  needs ≥ .40    neighbours   ", "  needs >= .40   neighbours   "),
        (
            "margin −0.031, needs ≥ +0.10: short by 0.131  ",
            "margin -0.031, needs >= +0.10: short by 0.131 ",
        ),
        ("needs ≥ +0.10: short", "needs >=+0.10: short"),
        ("0.265 ✗ ≥.50   0.248 ✗ ≥.48 ", "0.265 x >=.50  0.248 x >=.48"),
        ("−0.031 ✗ ≥+.12 −0.029 ✗ ≥+.10", "-0.031 x >=.12 -0.029 x >=.10"),
        ("−0.016 ✗ ≤−.15 −0.019", "-0.016 x<=-.15 -0.019"),
        ("a ≠ b   ", "a != b  "),
        ("n≥5", "n>5"),
    ],
)
def test_a_sign_of_two_characters_takes_the_place_of_a_blank(line: str, expected: str) -> None:
    assert to_ascii(line) == expected
    assert len(expected) == cell_len(line)


def test_segments_of_a_line_keep_their_cells_and_their_styles() -> None:
    bold, plain = Style(bold=True), Style()
    line = [Segment("✗", bold), Segment(" ≥.50", plain), Segment("   0.548", bold)]
    found = Ascii().apply(line, Color(0, 0, 0))
    assert [(each.text, each.style) for each in found] == [
        ("x", bold),
        (" >=.50", plain),
        ("  0.548", bold),
    ]


def test_braille_becomes_a_curve_of_dots() -> None:
    assert to_ascii("⠁⡀⡇⣿⠀") == "'.:# "


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LANG": "de_DE@euro"}, True),
        ({"LANG": "C"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # as Python's own locale coercion leaves it
        ({"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, True),
        ({"LANG": "C", "LC_ALL": "en_US.utf8"}, False),
        ({"LANG": "C", "LVM_TUI_ASCII": "0"}, False),
        ({"LVM_TUI_ASCII": "1"}, True),
    ],
)
def test_the_locale_decides_on_ascii(environment: dict[str, str], expected: bool) -> None:
    assert needs_ascii(environment) is expected


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (60, "mean pairwise cosine 0.995, of the targets 0.165"),
        (48, "mean pairwise cosine 0.995, of the targets 0.165"),
        (47, "mean pairwise cosine 0.995, of the targets…"),
        (42, "mean pairwise cosine 0.995, of the…"),
        (28, "mean pairwise cosine 0.995…"),
        (26, "mean pairwise cosine…"),
    ],
)
def test_a_line_is_cut_between_words_and_never_within_a_number(width: int, expected: str) -> None:
    row = Content("mean pairwise cosine 0.995, of the targets 0.165")
    assert clipped(row, width).plain == expected


def test_an_error_of_two_lines_is_one_line_of_the_log() -> None:
    """A line feed within a line would move the terminal's cursor, an escape would do as it says."""
    event = TaskFinished("data", 1.0, ok=False, note="b.npz: no such file\n → \x1b[31mthe path")
    line = log_line(Record(0, 0.0, event))
    assert line is not None
    assert line.text.endswith("b.npz: no such file → [31mthe path")


@pytest.mark.parametrize(
    ("alert", "told"),
    [
        ("backward_bias-5-VAL", "backward bias (epoch 5, VAL) acknowledged by ada"),
        ("collapsed-1", "collapsed (epoch 1) acknowledged by ada"),
        ("failed-0", "failed acknowledged by ada"),
    ],
)
def test_an_acknowledged_alert_is_named_as_people_say_it(alert: str, told: str) -> None:
    line = log_line(Record(0, 0.0, AlertAcknowledged(alert, "ada")))
    assert line is not None
    assert line.text == told


def test_blanks_at_the_end_of_a_line_need_no_ellipsis() -> None:
    assert clipped(Content.assemble("0.995", "   "), 5).plain == "0.995"


def test_a_long_name_is_cut_where_the_room_ends() -> None:
    assert clipped(Content("transformer_5cat_20251030_220000"), 20).plain == "transformer_5cat_20…"
    assert clipped(Content("a transformer_5cat_20251030"), 20).plain == "a transformer_5cat_…"
