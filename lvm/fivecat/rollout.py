"""Test D: a model that reads its own predictions."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from lvm.models.predict import Predictor


def roll_out(predict: Predictor, contexts: Tensor, first: Tensor, horizon: int) -> Iterator[Tensor]:
    """Predictions (n, D) of steps 2…horizon.

    contexts: (n, 5, D); first: (n, D), the prediction of step 1. After each step the oldest context
    gives way to the newest prediction.
    """
    prediction = first
    for _ in range(1, horizon):
        contexts = torch.cat([contexts[:, 1:], prediction.unsqueeze(1)], dim=1)
        prediction = predict(contexts)
        yield prediction
