"""Test B: how far up the true next chunk comes when its article is sorted by nearness to the
prediction.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lvm.data.samples import Samples
from lvm.models.predict import as_tensor
from lvm.settings import CONTEXT_LENGTH

MIN_CHUNKS = 6
"""Articles with fewer chunks are left out: five contexts and a target need six."""

COPY = 1e-5
"""A chunk this near to the true one in cosine is a copy of it, and finding it is no mistake."""

_BLOCK = 8192
"""Chunks of one article that are scored at once; bounds memory for articles of any length."""


def ranks(
    predictions: Tensor, samples: Samples, chosen: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Ranks (n, 2) of the true next chunk of the `chosen` samples, from 1; 0: article too short.

    Column 0: among all chunks of its article; column 1: without the five context chunks.
    A chunk exactly as near as the true one counts as before it, unless it is a copy of it.
    """
    found = np.zeros((len(chosen), 2), np.int64)
    targets = np.asarray(samples.target_rows, np.int64)[chosen]
    starts = np.asarray(samples.article_starts, np.int64)[chosen]
    ends = np.asarray(samples.article_ends, np.int64)[chosen]
    order = np.argsort(starts, kind="stable")
    articles = np.split(order, np.flatnonzero(np.diff(starts[order])) + 1) if len(order) else []
    for members in articles:
        start, end = int(starts[members[0]]), int(ends[members[0]])
        if end - start >= MIN_CHUNKS:
            found[members] = _ranks_in_article(
                predictions[torch.from_numpy(members).to(predictions.device)],
                samples.vectors,
                targets[members],
                start,
                end,
            )
    return found


def _ranks_in_article(
    predictions: Tensor,
    vectors: npt.NDArray[np.floating],
    targets: npt.NDArray[np.int64],
    start: int,
    end: int,
) -> npt.NDArray[np.int64]:
    device = predictions.device
    with torch.inference_mode():
        truth = as_tensor(vectors[targets], device)
        nearness = (predictions * truth).sum(dim=1, keepdim=True)
        copy = truth.square().sum(dim=1, keepdim=True) - COPY
        rows_of_truth = torch.from_numpy(targets).to(device).unsqueeze(1)
        before = torch.zeros(len(targets), 2, dtype=torch.int64, device=device)
        for block in range(start, end, _BLOCK):
            rows = torch.arange(block, min(block + _BLOCK, end), device=device)
            chunks = as_tensor(vectors[block : block + len(rows)], device)
            wins = (predictions @ chunks.T >= nearness) & (truth @ chunks.T < copy)
            ahead = rows_of_truth - rows  # 1…5: the five contexts
            outside = (ahead < 1) | (ahead > CONTEXT_LENGTH)
            before[:, 0] += wins.sum(dim=1)
            before[:, 1] += (wins & outside).sum(dim=1)
    return (before + 1).cpu().numpy()


def summarise(found: npt.NDArray[np.int64]) -> dict[str, float | int | None]:
    """R@1, R@5 and MRR of ranks (n, 2), both ways; ranks of 0 do not count."""
    measured = found[found[:, 0] > 0]
    numbers: dict[str, float | int | None] = {"retrieval_n": len(measured)}
    for column, suffix in ((0, ""), (1, "_without_context")):
        rank = measured[:, column]
        for name, hits in (("r1", rank <= 1), ("r5", rank <= 5), ("mrr", 1.0 / rank)):
            numbers[f"{name}{suffix}"] = float(np.mean(hits)) if len(rank) else None
    return numbers
