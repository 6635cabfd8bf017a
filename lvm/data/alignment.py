"""Where the targets of a sequence file really are in their articles (spec/fivecat.md, "Offsets").

Sequence files count `target_indices` from 0 or from 1, or name the last context instead of the
target. A 5CAT that trusted them would measure every offset one chunk off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lvm.data.bank import VectorBank
from lvm.data.sequences import IntArray, SequenceSet
from lvm.errors import DataError

SHIFTS = (0, -1, 1)
"""Tried in this order; of equals the first wins."""

NEEDED_SHARE = 0.99
"""Share of samples whose target must be where the shift says."""

MATCH_COSINE = 0.999
"""A stored target and its chunk in the bank are the same vector up to rounding (float16)."""

_BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Alignment:
    """How the `target_indices` of a split are to be read."""

    split: str
    samples: int
    """Samples looked at."""
    shift: int = 0
    """The target of a sample is chunk `target_index + shift` of its article."""
    matched: float | None = None
    """Share of the samples for which that is so; None where the file has no indices."""
    shares: Mapping[int, float] | None = None
    """The share for each shift tried."""
    missing: int = 0
    """Samples whose article is not in the bank."""

    @property
    def known(self) -> bool:
        return self.matched is not None

    @property
    def words(self) -> str:
        if self.matched is None:
            return "alignment unknown: the file has no article_ids and target_indices"
        at = "" if self.shift == 0 else f" {'+' if self.shift > 0 else '−'} 1"
        return f"targets are at target_index{at} ({self.matched:.1%} of {self.samples} samples)"

    def to_json(self) -> dict[str, Any]:
        return {
            "split": self.split,
            "known": self.known,
            "shift": self.shift,
            "samples": self.samples,
            "matched": self.matched,
            "shares": {f"{d:+d}" if d else "0": s for d, s in sorted((self.shares or {}).items())},
            "missing": self.missing,
            "words": self.words,
        }


@dataclass(frozen=True)
class Places:
    """Where (n,) samples say that their targets are, and what is there."""

    rows: npt.NDArray[np.int64]
    """Row of the bank; meaningless where `missing` or `outside`."""
    starts: IntArray
    ends: IntArray
    missing: npt.NDArray[np.bool_]
    """The bank does not have the article."""
    outside: npt.NDArray[np.bool_]
    """The article has no chunk of that number."""
    matches: npt.NDArray[np.bool_]
    """The chunk there is the stored target."""


def place(
    sequences: SequenceSet,
    bank: VectorBank,
    shift: int,
    samples: npt.NDArray[np.integer] | None = None,
) -> Places:
    """Look up `target_indices + shift` of some samples (None: all) in their articles.

    Raises DataError when the file does not say where its targets are, or is of another width.
    """
    check_width(sequences, bank)
    if sequences.article_ids is None or sequences.target_indices is None:
        absent = [
            key
            for key, value in (
                ("article_ids", sequences.article_ids),
                ("target_indices", sequences.target_indices),
            )
            if value is None
        ]
        raise DataError(
            f"no {' and no '.join(absent)}: its samples cannot be placed in their articles",
            where=sequences.source,
            fix="5CAT needs article_ids and target_indices in the VAL and OOD files, (N,) plain "
            "integers each (object arrays are never unpickled)",
        )
    chosen = np.arange(len(sequences)) if samples is None else samples
    numbers = bank.numbers_of(sequences.article_ids[chosen])
    starts, ends = bank.article_starts[numbers], bank.article_starts[numbers + 1]
    rows = starts + sequences.target_indices[chosen] + shift
    missing = numbers < 0
    outside = ~missing & ((rows < starts) | (rows >= ends))
    inside = np.flatnonzero(~missing & ~outside)
    matches = np.zeros(len(chosen), bool)
    targets = np.asarray(sequences.targets)[chosen]
    if sequences.vectors is bank.vectors:
        matches[inside] = targets[inside] == rows[inside]
    else:
        for first in range(0, len(inside), _BLOCK_ROWS):
            block = inside[first : first + _BLOCK_ROWS]
            stored = np.asarray(sequences.vectors[targets[block]], np.float32)
            there = np.asarray(bank.vectors[rows[block]], np.float32)
            matches[block] = np.einsum("ij,ij->i", stored, there) >= MATCH_COSINE
    return Places(rows, starts, ends, missing, outside, matches)


def align(sequences: SequenceSet, bank: VectorBank, max_samples: int = 0) -> Alignment:
    """Find the shift at which the stored targets are the chunks of the bank.

    max_samples: look only at so many, evenly spread; 0 = at all. Without `article_ids` and
    `target_indices` the alignment is unknown. Raises DataError when the widths differ, when more
    than 1 % of the samples name articles that the bank does not have, and when no shift fits 99 %.
    """
    check_width(sequences, bank)
    if sequences.article_ids is None or sequences.target_indices is None:
        return Alignment(sequences.name, 0)
    count = min(max_samples, len(sequences)) if max_samples else len(sequences)
    samples = np.linspace(0, len(sequences) - 1, count).round().astype(np.int64)
    missing = bank.numbers_of(sequences.article_ids[samples]) < 0
    if missing.mean() > 1 - NEEDED_SHARE:
        ids = np.unique(np.asarray(sequences.article_ids)[samples[missing]])
        raise DataError(
            f"{missing.sum()} of {count} samples are of articles that the bank does not have "
            f"({len(ids)} articles, the first is {ids[0]})",
            where=sequences.source,
            fix=f"give the bank that these sequences were made from; {bank.source} has "
            f"{len(bank.articles)} articles, ids {bank.articles[0]} to {bank.articles[-1]}",
        )
    shares = {d: float(place(sequences, bank, d, samples).matches.mean()) for d in SHIFTS}
    shift = max(SHIFTS, key=lambda d: shares[d])
    if shares[shift] < NEEDED_SHARE:
        tried = ", ".join(f"d = {d:+d}: {shares[d]:.1%}" for d in sorted(SHIFTS))
        raise DataError(
            f"its targets are not where target_indices say: chunk target_index + d of the article "
            f"is the target for {tried} of {count} samples; {NEEDED_SHARE:.0%} are needed",
            where=sequences.source,
            fix=f"give the bank that these sequences were made from, with the same encoder "
            f"(now {bank.source}), or make target_indices again",
        )
    return Alignment(
        sequences.name, count, shift, shares[shift], shares, missing=int(missing.sum())
    )


def check_width(sequences: SequenceSet, bank: VectorBank) -> None:
    """Raises DataError unless sequences and articles are of the same width."""
    if sequences.dim != bank.dim:
        raise DataError(
            f"its vectors have {sequences.dim} numbers, those of {bank.source} {bank.dim}",
            where=sequences.source,
            fix="sequences and articles must come from the same encoder",
        )
