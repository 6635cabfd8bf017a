"""Test C: the same contexts, spoilt. A model that uses their order must do worse."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lvm.settings import CONTEXT_LENGTH

NAMES = ("shuffled", "reversed", "leave_one_out", "repeat_last", "cross_article")

_FIXED: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("reversed", (4, 3, 2, 1, 0)),
    ("leave_one_out", (1, 2, 3, 4, 4)),
    ("leave_one_out", (0, 2, 3, 4, 4)),
    ("leave_one_out", (0, 1, 3, 4, 4)),
    ("leave_one_out", (0, 1, 2, 4, 4)),
    ("leave_one_out", (0, 1, 2, 3, 3)),  # the last is left out: the one before it fills
    ("repeat_last", (4, 4, 4, 4, 4)),
    ("cross_article", (0, 1, 2, 3, 0)),
)
"""Which contexts stand in the five places."""

PASSES = 1 + len(_FIXED)
"""Forward passes a sample: nine, five of which make the mean of leave_one_out."""

LEFT_OUT = CONTEXT_LENGTH
"""leave_one_out comes five times; its change is their mean."""


def variants(contexts: Tensor, orders: npt.NDArray[np.int64]) -> Iterator[tuple[str, Tensor]]:
    """The nine spoilt forms of contexts (n, 5, D), with the name under which each counts.

    orders: (n, 5), for each sample the order of the shuffle.
    """
    shuffle = torch.from_numpy(orders).to(contexts.device).unsqueeze(-1).expand_as(contexts)
    yield "shuffled", torch.gather(contexts, 1, shuffle)
    for name, places in _FIXED:
        yield name, contexts[:, list(places)]
