"""What a terminal can show: ASCII where the locale has no more, calm where it is asked for."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_TABLE = {
    "─": "-", "━": "=", "╸": "-", "╺": "-", "╌": "-", "┄": "-", "│": "|", "┃": "|", "╎": "|",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+",
    "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+", "▔": "-", "▁": "_", "▂": "_",
    "▃": ".", "▄": "-", "▅": "-", "▆": "=", "▇": "#", "█": "#", "▌": "|", "▐": "|",
    "▀": "'", "▎": "|", "▏": "|", "▕": "|", "▊": "|", "▋": "|", "▍": "|", "▉": "#",
    "🔎": "/ ", "░": ".", "▒": ":", "▓": "#",
    "✓": "v", "✗": "x", "▲": "!", "▶": ">", "◀": "<", "▼": "v", "■": "#", "◆": "*",
    "●": "o", "○": ".", "◉": "o", "‖": "|", "•": "*", "·": ".", "→": ">", "←": "<",
    "↑": "^", "↓": "v", "−": "-", "–": "-", "—": "-", "×": "x", "…": "~", "°": "o",
    "≈": "~", "±": "+", "“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " ", "⏎": "<",
    "⭘": "o", "µ": "u", "²": "2", "³": "3", "√": "V", "∞": "8", "⇥": ">", "⌃": "^", "^": "^",
}  # fmt: skip
"""As many cells as the character has, so that nothing moves."""

_SIGNS = {"≥": ">=", "≤": "<=", "≠": "!="}
"""What one character would turn round: `> .40` is not `≥ .40`. The second takes a blank's place."""

_NEAR = 8
"""Cells after a sign within which a number ends; the columns behind it must not move."""

_BRAILLE = 0x2800
_UPPER, _LOWER = 0b0001_1011, 0b1110_0100
"""Dots of the upper and of the lower half of a braille cell."""


class Ascii(LineFilter):
    """Replaces every character that is not ASCII by one that is and says nearly the same."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        cells = [(each, at) for at, segment in enumerate(segments) for each in _cells(segment.text)]
        for sign in _SIGNS:
            cells = _spelt(cells, sign)
        texts = [""] * len(segments)
        for text, at in cells:
            texts[at] += text
        return [
            Segment(text, style, control)
            for text, (_, style, control) in zip(texts, segments, strict=True)
        ]


def to_ascii(text: str) -> str:
    """A line in as many ASCII characters as it has cells."""
    return "".join(text for text, *_ in Ascii().apply([Segment(text)], Color(0, 0, 0)))


def _cells(text: str) -> list[str]:
    """A character for each cell: ASCII, or one of the signs that need two."""
    if text.isascii():
        return list(text)
    cells = "".join(each if each in _SIGNS else _replaced(each) for each in text)
    width = cell_len(text)  # of a sequence joined into one sign less than of its parts
    return list(cells[:width].ljust(width))


_Cell = tuple[str, int]
"""A character and the segment that it is of."""


def _spelt(cells: list[_Cell], sign: str) -> list[_Cell]:
    """The same number of cells with `sign` in two characters, or in its first without a blank."""
    at = 0
    while at < len(cells):
        text, segment = cells[at]
        if text == sign:
            spare = _spare("".join(text for text, _ in cells), at)
            cells[at] = (_SIGNS[sign][0], segment)
            if spare is not None:
                cells.insert(at + 1, (_SIGNS[sign][1], segment))
                del cells[spare + (spare > at)]
        at += 1
    return cells


def _spare(line: str, at: int) -> int | None:
    """The cell that a sign at `at` may take: a blank beside another one, else the one beside it.

    The plus of a need, as in `≥+.12`, says nothing either. None: there is none.
    """
    after = line[at + 1 : at + 2]
    if after == "+":
        return at + 1
    last = len(line) if after == " " else min(at + _NEAR, len(line))
    for near in range(at + 2, last):
        if line[near] == " " and line[near + 1 : near + 2] in (" ", ""):
            return near
    if after == " ":
        return at + 1
    return at - 1 if at and line[at - 1] == " " else None


@cache
def _replaced(character: str) -> str:
    if character.isascii():
        return character
    if character in _TABLE:
        return _TABLE[character]
    dots = ord(character) - _BRAILLE
    if 0 <= dots < 256:
        return _dots(dots)
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    width = cell_len(character)
    return plain if len(plain) == width else "?" * width


def _dots(dots: int) -> str:
    if not dots:
        return " "
    if dots.bit_count() >= 5:
        return "#"
    if dots & _UPPER and dots & _LOWER:
        return ":"
    return "'" if dots & _UPPER else "."


def needs_ascii(environment: Mapping[str, str]) -> bool:
    """Whether the locale names a character set that is not UTF-8.

    No locale at all counts as UTF-8, as terminals are today. LVM_TUI_ASCII=1 or 0 decides.
    """
    wish = environment.get("LVM_TUI_ASCII", "")
    if wish:
        return wish not in ("0", "no", "false")
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environment.get(name, "")
        if value:
            if name == "LC_CTYPE" and value == "C.UTF-8":
                continue  # Python itself sets this when LANG is C (PEP 538)
            return "utf" not in value.lower().split("@")[0]
    return False


def wants_calm(animations: str, environment: Mapping[str, str]) -> bool:
    """No flashing and one picture a second. animations: auto, full or none, as in lvm.toml."""
    wishes = (environment.get("LVM_TUI_ANIMATIONS"), environment.get("TEXTUAL_ANIMATIONS"))
    return animations == "none" or (animations == "auto" and "none" in wishes)
