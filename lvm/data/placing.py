"""Placing samples in their articles, so that 5CAT can look at every offset around them."""

from __future__ import annotations

import numpy as np

from lvm.data.bank import VectorBank
from lvm.data.samples import Samples
from lvm.data.sequences import SequenceSet
from lvm.errors import DataError


def make_samples(
    sequences: SequenceSet, bank: VectorBank, shift: int = 0, name: str | None = None
) -> Samples:
    """The samples whose true next chunk is in the bank, at `target_indices + shift`.

    Those left out are counted in `skipped`. Raises DataError when the sequences do not say where
    their targets are, when the widths differ, and when no sample is left.
    """
    if sequences.article_ids is None or sequences.target_indices is None:
        raise DataError(
            "no article_ids and target_indices, so its samples cannot be placed in their articles",
            where=sequences.source,
            fix="5CAT needs both keys, (N,) integers each, in the VAL and OOD files",
        )
    numbers = bank.numbers_of(sequences.article_ids)
    starts = bank.article_starts[numbers]
    ends = bank.article_starts[numbers + 1]
    rows = starts + sequences.target_indices + shift
    missing = numbers < 0
    outside = ~missing & ((rows < starts) | (rows >= ends))
    keep = np.flatnonzero(~(missing | outside))
    skipped = {
        "missing article": int(missing.sum()),
        "target outside its article": int(outside.sum()),
    }
    if len(keep) == 0:
        raise DataError("no usable samples", where=sequences.source, fix=str(skipped))
    return Samples(
        name=name or sequences.name.upper(),
        vectors=bank.vectors,
        context_vectors=sequences.vectors,
        contexts=np.asarray(sequences.contexts)[keep],
        target_rows=rows[keep],
        article_starts=starts[keep],
        article_ends=ends[keep],
        skipped={reason: count for reason, count in skipped.items() if count},
    )
