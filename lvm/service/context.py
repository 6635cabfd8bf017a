"""The five contexts of a conversation: its last chunks, and what stands before them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lvm.data.bank import VectorBank
from lvm.data.text import chunk_text
from lvm.service.nearest import nearest_rows
from lvm.settings import CONTEXT_LENGTH

FloatArray = npt.NDArray[np.float32]
Origin = Literal["message", "bank", "repeated"]

_LONGEST = 12_000
"""Characters of a message that are read, its last ones: six times what five chunks usually have.
Cutting a text into sentences costs more than in proportion to its length."""
_LONG_RUN = re.compile(r"[.!?…]{8,}")
"""Dots without end; the search for the end of a sentence would take them all at each dot."""


@dataclass(frozen=True)
class ContextChunk:
    """Where one of the five contexts comes from."""

    origin: Origin
    text: str | None
    """None where the bank has no texts."""
    row: int | None = None
    """Of the bank, for origin "bank"."""

    def to_json(self) -> dict[str, Any]:
        return {"from": self.origin, "text": self.text, "row": self.row}


@dataclass(frozen=True, eq=False)
class Context:
    vectors: FloatArray
    """(5, D), oldest first."""
    chunks: tuple[ContextChunk, ...]
    """Five, likewise."""
    how: str
    """One sentence for a person."""

    def to_json(self) -> dict[str, Any]:
        return {"how": self.how, "chunks": [chunk.to_json() for chunk in self.chunks]}


def last_chunks(messages: Sequence[str], most: int = CONTEXT_LENGTH) -> list[str]:
    """The last chunks of a conversation, oldest first, at most `most`.

    Each message begins a chunk of its own: a turn is a step of the conversation. Empty where no
    message has a word.
    """
    chunks: list[str] = []
    for message in reversed(messages):
        text = _LONG_RUN.sub(lambda run: run[0][:8], message[-_LONGEST:])
        chunks = chunk_text(text) + chunks
        if len(chunks) >= most:
            break
    return chunks[-most:]


def fill(texts: Sequence[str], vectors: FloatArray, bank: VectorBank | None) -> Context:
    """Five contexts from 1 to 5 chunks (n, D).

    What is missing stands before the oldest chunk: the bank's chunks that come before the one
    nearest to it, in that one's article; where the article has too few, or there is no bank, the
    oldest that there is is repeated.
    """
    chunks = [ContextChunk("message", text) for text in texts]
    own = len(chunks)
    rows: list[FloatArray] = list(vectors)
    around = ""
    if own < CONTEXT_LENGTH and bank is not None:
        nearest, similarity = nearest_rows(bank, vectors[:1], 1)
        row = int(nearest[0, 0])
        article = bank.rows_of(bank.article_of_row(row))
        before = range(max(article.start, row - (CONTEXT_LENGTH - own)), row)
        chunks = [ContextChunk("bank", bank.text(place), place) for place in before] + chunks
        rows = [np.asarray(bank.vectors[place], np.float32) for place in before] + rows
        name = bank.article_name(bank.article_of_row(row))
        around = (
            f" before the chunk nearest to the oldest ({name}, chunk "
            f"{int(bank.chunk_indices[row])}, cosine {float(similarity[0, 0]):.2f})"
        )
    filled = len(chunks) - own
    repeated = CONTEXT_LENGTH - len(chunks)
    oldest = ContextChunk("repeated", chunks[0].text, chunks[0].row)
    return Context(
        np.stack([rows[0]] * repeated + rows),
        (*[oldest] * repeated, *chunks),
        _words(own, filled, around, repeated),
    )


def _words(own: int, filled: int, around: str, repeated: int) -> str:
    parts = [f"{own} from the messages"]
    if filled:
        parts.append(f"{filled} from the bank{around}")
    if repeated:
        parts.append(f"{repeated} repeating the oldest")
    return ", ".join(parts)
