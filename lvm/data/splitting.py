"""Which articles of a bank are for training, VAL and OOD, by the settings: one way for all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lvm.data.bank import VectorBank
from lvm.data.reference import with_splits
from lvm.data.windows import split_articles
from lvm.settings import DataSettings


def split_of(
    data: DataSettings, bank: VectorBank, seed: int
) -> tuple[dict[str, npt.NDArray[np.int64]], str]:
    """Article ids by split, and a sentence where a reference corpus has its own split, else "".

    Raises DataError as `split_articles` and `with_splits` do.
    """
    asked, note = with_splits(data, bank)
    splits = split_articles(
        bank,
        val_articles=asked.val_articles,
        ood_articles=asked.ood_articles,
        val_fraction=asked.val_fraction,
        ood_fraction=asked.ood_fraction,
        seed=seed,
    )
    return splits, note
