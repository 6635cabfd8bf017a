"""What a terminal can show: ASCII where the locale has no more, calm where it is asked for."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_TABLE = {
    "─": "-", "━": "=", "╸": "-", "╺": "-", "╌": "-", "┄": "-", "│": "|", "┃": "|", "╎": "|",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+",
    "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+", "▔": "-", "▁": "_", "▂": "_",
    "▃": ".", "▄": "-", "▅": "-", "▆": "=", "▇": "#", "█": "#", "▌": "|", "▐": "|",
    "▀": "'", "▎": "|", "▏": "|", "▕": "|", "▊": "|", "▉": "#", "░": ".", "▒": ":", "▓": "#",
    "✓": "v", "✗": "x", "▲": "!", "▶": ">", "◀": "<", "▼": "v", "■": "#", "◆": "*",
    "●": "o", "○": ".", "◉": "o", "‖": "|", "•": "*", "·": ".", "→": ">", "←": "<",
    "↑": "^", "↓": "v", "−": "-", "–": "-", "—": "-", "×": "x", "…": "~", "≥": ">", "≤": "<",
    "≈": "~", "±": "+", "“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " ", "⏎": "<",
    "⭘": "o", "µ": "u", "²": "2", "³": "3", "√": "V", "∞": "8", "⇥": ">", "⌃": "^", "^": "^",
}  # fmt: skip
"""One cell for one cell, so that nothing moves."""

_BRAILLE = 0x2800
_UPPER, _LOWER = 0b0001_1011, 0b1110_0100
"""Dots of the upper and of the lower half of a braille cell."""


class Ascii(LineFilter):
    """Replaces every character that is not ASCII by one that is and says nearly the same."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]


def to_ascii(text: str) -> str:
    """`text` in as many ASCII characters as it has cells."""
    return text if text.isascii() else "".join(map(_replaced, text))


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
    wide = unicodedata.east_asian_width(character) in "WF"
    return plain if len(plain) == 1 + wide else "?" * (1 + wide)


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
