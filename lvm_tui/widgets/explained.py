"""A help text that fits whatever width there is: words on the left, what they mean beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from lvm_tui.widgets.text import lines

_WORD = re.compile(r" {0,4}\S.*?\S? {2,}(?=\S)")
"""What is explained, as far as its explanation."""

_CONTINUED = " " * 5
"""With so many blanks a line goes on with what the line before explains."""

_LEAST = 30
"""Cells of an explanation, below which it begins under its word."""


@dataclass(frozen=True, slots=True)
class Part:
    word: Content
    """With the blanks after it; empty for a paragraph."""
    words: Content


class Explained(Widget):
    """As tall as its text is in its width."""

    DEFAULT_CSS = "Explained { height: auto; }"

    def __init__(self, markup: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts = parts_of(markup)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(rows_of(self._parts, width))

    def render(self) -> Content:
        return lines(rows_of(self._parts, self.size.width))


def parts_of(markup: str) -> list[Part]:
    """Explanations and paragraphs of a text in Textual's markup, each one whole."""
    parts: list[Part] = []
    for line in markup.splitlines():
        text = Content.from_markup(line)
        plain = text.plain
        word = _WORD.match(plain)
        before = parts[-1] if parts and parts[-1].words else None
        if before is not None and plain.startswith(_CONTINUED):
            rest = text[len(plain) - len(plain.lstrip()) :]
            parts[-1] = replace(before, words=before.words + " " + rest)
        elif word is not None:
            parts.append(Part(text[: word.end()], text[word.end() :]))
        elif before is not None and not before.word and plain:
            parts[-1] = replace(before, words=before.words + " " + text)
        else:
            parts.append(Part(Content(""), text))
    return parts


def rows_of(parts: list[Part], width: int) -> list[Content]:
    """In `width` cells, no word cut, explanations under one another."""
    rows: list[Content] = []
    for part in parts:
        column = part.word.cell_length
        if width - column < _LEAST:
            rows.append(part.word.rstrip())
            rows += [Content("    ") + line for line in part.words.wrap(max(width - 4, 1))]
            continue
        for at, line in enumerate(part.words.wrap(width - column)):
            rows.append((part.word if not at else Content(" " * column)) + line)
    return rows
