"""A chat answer for a person; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lvm.cli.report import number


def chat_lines(answer: dict[str, Any]) -> Iterator[str]:
    """The answer, then copy-last's beside it, where both come from, and what each stage took."""
    copied = answer["copy_last"]
    yield answer["text"]
    yield ""
    yield f"  confidence {number(answer['confidence'])}{_place(answer['answer'])}"
    yield f"  {direction(answer['offset'], answer['text'] == copied['text'])}"
    yield f"  context: {answer['context']['how']}"
    if answer["context"]["unknown"]:
        yield f"  {answer['context']['unknown']} chunks have no word that the encoder knows"
    yield "  " + " · ".join(
        f"{stage} {took:.1f} ms" for stage, took in answer["latency_ms"].items()
    )
    yield ""
    yield f"copy last ({number(copied['similarity'])}{_place(copied)}): {copied['text']}"


def direction(offset: int | None, same_text: bool) -> str:
    """Whether the model goes forward, as far as one answer shows it."""
    if same_text:
        return "the same text as copying the last chunk: the model stands still here"
    if offset is None:
        return "another article than the last chunk's: the offset is not known"
    if offset > 0:
        return f"forward: {offset:+d} chunks from the last one"
    return f"backward: {offset:+d} chunks from the last one".replace("-", "−")


def _place(decoded: dict[str, Any]) -> str:
    if decoded["article"] is None:
        return ""
    return f", {decoded['article']}, chunk {decoded['chunk']}"
