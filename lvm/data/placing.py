"""Placing samples in their articles, so that 5CAT can look at every offset around them."""

from __future__ import annotations

import hashlib

import numpy as np

from lvm.data.alignment import place
from lvm.data.bank import VectorBank
from lvm.data.samples import Samples
from lvm.data.sequences import SequenceSet
from lvm.errors import DataError


def make_samples(
    sequences: SequenceSet, bank: VectorBank, shift: int = 0, name: str | None = None
) -> Samples:
    """The samples whose target is chunk `target_index + shift` of their article in the bank.

    shift: what `align` found. name: "VAL" or "OOD"; None = that of the sequences, in capitals.
    Samples left out are counted in `skipped`. Raises DataError when the sequences do not say where
    their targets are, when the widths differ, and when no sample is left.
    """
    places = place(sequences, bank, shift)
    keep = np.flatnonzero(places.matches)
    elsewhere = ~(places.matches | places.missing | places.outside)
    skipped = {
        "article not in the bank": int(places.missing.sum()),
        "target outside its article": int(places.outside.sum()),
        "target is not that chunk of its article": int(elsewhere.sum()),
    }
    skipped = {reason: count for reason, count in skipped.items() if count}
    if len(keep) == 0:
        reasons = ", ".join(f"{count}: {reason}" for reason, count in skipped.items())
        raise DataError(
            f"no usable samples for 5CAT of {len(sequences)} ({reasons})",
            where=sequences.source,
            fix=f"check that they were made from the articles in {bank.source}",
        )
    return Samples(
        name=name or sequences.name.upper(),
        vectors=bank.vectors,
        context_vectors=sequences.vectors,
        contexts=np.asarray(sequences.contexts)[keep],
        target_rows=places.rows[keep],
        article_starts=places.starts[keep],
        article_ends=places.ends[keep],
        skipped=skipped,
        fingerprint=hashlib.sha256(
            f"{sequences.fingerprint} {bank.fingerprint} {shift}".encode()
        ).hexdigest(),
    )
