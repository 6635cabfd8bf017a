"""NO_COLOR: not one colour is sent, greys included; what colour told is told by attributes.

Secondary text is dim; what is selected or alarming is reversed by the style sheets (`:nocolor`).
"""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_GREY = 45
"""How far apart the channels of a grey may lie: our greys are a little blue."""

_SECONDARY = 0.65
"""Difference in brightness from the background, below which grey text is secondary."""


class Colourless(LineFilter):
    """Takes the colours out of every segment, and dims what was grey."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        behind = background.rich_color.get_truecolor()
        return [
            Segment(text, bare(style, tuple(behind)) if style is not None else None, control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def bare(style: Style, background: tuple[int, ...]) -> Style:
    """The style without colours, for text on `background` (red, green, blue)."""
    attributes = style.without_color
    if style.meta:
        attributes += Style(meta=style.meta)
    return attributes + Style(dim=True) if _is_secondary(style, background) else attributes


def _is_secondary(style: Style, background: tuple[int, ...]) -> bool:
    if style.color is None or style.color.is_default or style.bold:
        return False
    text = tuple(style.color.get_truecolor())
    around = style.bgcolor
    behind = background if around is None or around.is_default else tuple(around.get_truecolor())
    greys = all(max(color) - min(color) <= _GREY for color in (text, behind))
    return greys and abs(_brightness(text) - _brightness(behind)) < _SECONDARY


def _brightness(color: tuple[int, ...]) -> float:
    red, green, blue = color
    return Color(red, green, blue).brightness
