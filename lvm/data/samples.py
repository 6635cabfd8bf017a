"""What 5CAT sees: samples placed in their articles, so that every temporal offset can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lvm.data.sequences import FloatArray, IntArray


@dataclass(frozen=True)
class Samples:
    """N samples of one split, each with the row of its true next chunk in the article bank.

    The chunk at offset k from the last context (spec/fivecat.md "Offsets") is row
    `target_rows + k - 1` of `vectors`; it exists if it lies in [article_starts, article_ends).
    """

    name: str
    """VAL | OOD."""
    vectors: FloatArray
    """(M, D) unit rows of the article bank, chunks of an article contiguous and in order."""
    context_vectors: FloatArray
    """(M', D) where `contexts` points; the same array as `vectors` when made from a bank."""
    contexts: IntArray
    """(N, 5) rows of `context_vectors`, oldest first."""
    target_rows: IntArray
    """(N,) rows of `vectors`; an index shift found by the alignment is already applied."""
    article_starts: IntArray
    """(N,) first row of the sample's article."""
    article_ends: IntArray
    """(N,) one past its last row."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Samples left out while placing them: reason → how many."""
    fingerprint: str = ""
    """SHA-256 of the sequences, the articles and the shift they were made from."""

    def __len__(self) -> int:
        return len(self.target_rows)

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])
