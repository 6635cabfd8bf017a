"""An encoder that knows the texts of one bank, and no other: each has the vector that the bank has.

For banks whose vectors no encoder made, such as the reference corpora.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lvm.data.bank import open_bank
from lvm.data.encoders.base import Float32Array
from lvm.errors import InputError


class KnownTexts:
    """Implements `Encoder`. A text is recognised whatever its case and punctuation."""

    def __init__(self, bank: Path) -> None:
        """Raises DataError for a bank that cannot be read, InputError for one without texts."""
        self._bank, self._opened = bank, open_bank(bank)
        if not self._opened.has_texts:
            raise InputError("the bank has no texts", where=str(bank), fix="use another encoder")
        texts = (self._opened.text(row) or "" for row in range(len(self._opened)))
        self._rows = {_plain(text): row for row, text in enumerate(texts)}

    @property
    def name(self) -> str:
        return f"known:{os.fspath(self._bank)}"

    @property
    def dim(self) -> int:
        return self._opened.dim

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """(n, dim). Raises InputError for a text that is none of the bank's."""
        rows = [self._row(text) for text in texts]
        return np.asarray(self._opened.vectors[rows], np.float32)

    def _row(self, text: str) -> int:
        row = self._rows.get(_plain(text))
        if row is None:
            raise InputError(
                f"{text[:80]!r} is none of the texts of this bank",
                where=str(self._bank),
                fix=f"it knows them by heart only; the first is {self._opened.text(0)!r}",
            )
        return row


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
