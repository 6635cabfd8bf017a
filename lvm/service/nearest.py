"""The chunks of a bank that are nearest to some vectors, exactly, in bounded memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lvm.data.bank import VectorBank

FloatArray = npt.NDArray[np.float32]

_BLOCK = 16_384
"""Rows that are in memory at a time: 50 MB at 768 wide."""


def nearest_rows(
    bank: VectorBank, vectors: FloatArray, count: int
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """(q, D) unit vectors → (q, count) rows of the bank and their cosines, the nearest first.

    Ties go to the earlier row. Reads the whole bank once, whatever q is; fewer columns where the
    bank has fewer rows.
    """
    rows = np.zeros((len(vectors), 0), np.int64)
    cosines = np.zeros((len(vectors), 0), np.float32)
    for start in range(0, len(bank), _BLOCK):
        block = np.asarray(bank.vectors[start : start + _BLOCK], np.float32)
        places = np.arange(start, start + len(block))
        rows = np.concatenate([rows, np.broadcast_to(places, (len(vectors), len(block)))], axis=1)
        cosines = np.concatenate([cosines, vectors @ block.T], axis=1)
        best = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        rows = np.take_along_axis(rows, best, axis=1)
        cosines = np.take_along_axis(cosines, best, axis=1)
    return rows, cosines
