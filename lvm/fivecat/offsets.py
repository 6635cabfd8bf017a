"""The chunks around a sample: the one place where offsets become rows.

k counts from the last context chunk: k = 0 is the last context and k = +1 the target. With origin
"target", the old tool's count, k = 0 is the target; every k of such a result, in the offset test
and in the rollout, lies one chunk later. Nothing else depends on the origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lvm.data.samples import Samples
from lvm.models.predict import as_tensor
from lvm.settings import OffsetOrigin


@dataclass(frozen=True)
class Neighbours:
    """Where the chunks at some offsets lie, for n samples."""

    rows: npt.NDArray[np.int64]
    """(n, K) rows of the article bank; meaningless where `exist` is False."""
    exist: npt.NDArray[np.bool_]
    """(n, K) whether the sample's article has a chunk there."""

    @property
    def complete(self) -> npt.NDArray[np.bool_]:
        """(n,) samples that have all K."""
        return np.asarray(self.exist.all(axis=1), np.bool_)


def neighbours(
    samples: Samples,
    chosen: npt.NDArray[np.int64],
    offsets: Sequence[int],
    origin: OffsetOrigin = "context",
) -> Neighbours:
    """The rows of the chunks at `offsets` from the `chosen` samples."""
    shift = 0 if origin == "target" else -1
    targets = np.asarray(samples.target_rows, np.int64)[chosen]
    rows = targets[:, None] + np.asarray(offsets, np.int64) + shift
    starts = np.asarray(samples.article_starts)[chosen, None]
    ends = np.asarray(samples.article_ends)[chosen, None]
    return Neighbours(rows, (starts <= rows) & (rows < ends))


def cosines(
    predictions: Tensor, vectors: npt.NDArray[np.floating], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Predictions (n, D) against the unit vectors at `rows` (n, K) of `vectors` → (n, K)."""
    chunks = as_tensor(vectors[rows], predictions.device)
    with torch.inference_mode():
        found = torch.einsum("nd,nkd->nk", predictions, chunks)
    return found.cpu().numpy().astype(np.float64)
