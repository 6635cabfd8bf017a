"""A set of (five contexts, target) samples, as row numbers into a memory-mapped bank."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lvm.settings import CONTEXT_LENGTH

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]


@dataclass(frozen=True)
class SequenceSet:
    """N samples over M distinct vectors of width D. Nothing here ever holds (N, 5, D) at once."""

    name: str
    """train | val | ood."""
    vectors: FloatArray
    """(M, D) unit rows, usually memory-mapped, float32 or float16."""
    contexts: IntArray
    """(N, 5) rows of `vectors`, oldest first."""
    targets: IntArray
    """(N,) rows of `vectors`."""
    article_ids: IntArray | None
    """(N,) the article of each sample, or None where the file does not say."""
    target_indices: IntArray | None
    """(N,) position of the target within its article, as the file counts it, or None."""
    fingerprint: str
    """SHA-256 of the content, hexadecimal."""
    source: str = ""
    """The file it came from, for messages."""
    notes: tuple[str, ...] = ()
    """What the import changed or left out, one sentence each."""

    def __post_init__(self) -> None:
        assert self.contexts.shape == (len(self.targets), CONTEXT_LENGTH)

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])

    def gather(
        self, samples: IntArray | slice
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The contexts (n, 5, D) and targets (n, D) of some samples, as float32."""
        contexts = self.vectors[self.contexts[samples]]
        targets = self.vectors[self.targets[samples]]
        return np.asarray(contexts, np.float32), np.asarray(targets, np.float32)


def following_rows(sequences: SequenceSet) -> IntArray:
    """(M,) for each row of the vectors the row that comes after it, −1 where that is not known.

    Read off the windows themselves, so it needs no article bank. A row with two different
    successors (the same text in two articles) counts as not known.
    """
    following = np.full(len(sequences.vectors), -1, np.int64)
    columns = [np.asarray(sequences.contexts[:, i]) for i in range(CONTEXT_LENGTH)]
    columns.append(np.asarray(sequences.targets))
    steps = list(pairwise(columns))
    for row, after in steps:
        following[row] = after
    ambiguous = np.zeros(len(following), bool)
    for row, after in steps:
        ambiguous[row[following[row] != after]] = True
    following[ambiguous] = -1
    return following
