"""A chat answer in words, the same on the command line and on the screen; pure."""

from __future__ import annotations

from typing import Any


def direction(offset: int | None, same_text: bool) -> str:
    """Whether the model goes forward, as far as one answer shows it."""
    if same_text:
        return "the same text as copying the last chunk: the model stands still here"
    if offset is None:
        return "another article than the last chunk's: the offset is not known"
    way = "forward" if offset > 0 else "backward"
    chunks = "chunk" if abs(offset) == 1 else "chunks"
    return f"{way}: {offset:+d} {chunks} from the last one".replace("-", "−")


def place(decoded: dict[str, Any]) -> str:
    """Where in the bank a text is from, ", ARTICLE, chunk N"; "" if it is from none."""
    if decoded["article"] is None:
        return ""
    return f", {decoded['article']}, chunk {decoded['chunk']}"
