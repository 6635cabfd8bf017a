"""A chat answer for a person; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lvm.cli.report import number
from lvm.service.wording import direction, place


def chat_lines(answer: dict[str, Any]) -> Iterator[str]:
    """The answer, then copy-last's beside it, where both come from, and what each stage took."""
    copied = answer["copy_last"]
    yield answer["text"]
    yield ""
    yield f"  confidence {number(answer['confidence'])}{place(answer['answer'])}"
    yield f"  {direction(answer['offset'], answer['text'] == copied['text'])}"
    yield f"  context: {answer['context']['how']}"
    if answer["context"]["unknown"]:
        yield f"  {answer['context']['unknown']} chunks have no word that the encoder knows"
    yield "  " + " · ".join(
        f"{stage} {took:.1f} ms" for stage, took in answer["latency_ms"].items()
    )
    yield ""
    yield f"copy last ({number(copied['similarity'])}{place(copied)}): {copied['text']}"
