"""Objectives that were tried beside `forward` and did not become it (docs/direction.md).

Each ranks the target of a sample against the chunks around *that sample*; the margin of 5CAT, and
the objective `forward`, compare means over many samples.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lvm.training.objectives import Objective, Window, mean_squared_error


class Candidate(Objective):
    """A cosine loss plus `weight` times a term that contrasts the target with its rivals."""

    looks_beyond = True

    def __init__(self, weight: float) -> None:
        super().__init__(mean_squared_error)
        self.weight = weight

    def loss(self, predictions: Tensor, window: Window) -> Tensor:
        predictions = predictions.float()
        near = 1.0 - (predictions * window.targets).sum(dim=1)
        return (near + self.weight * self.contrast(predictions, window)).mean()

    def contrast(self, predictions: Tensor, window: Window) -> Tensor:
        """(n,) what is minimised beside 1 − cos."""
        raise NotImplementedError


class OffsetInfoNCE(Candidate):
    """InfoNCE over temporal offsets: the target against the four last contexts and k = +2, +3."""

    def __init__(self, weight: float, temperature: float) -> None:
        super().__init__(weight)
        self.temperature = temperature

    def contrast(self, predictions: Tensor, window: Window) -> Tensor:
        logits = offset_cosines(predictions, window) / self.temperature
        return -self.temperature * functional.log_softmax(logits, dim=1)[:, 0]


class BatchInfoNCE(Candidate):
    """InfoNCE with the targets of the micro-batch as negatives: says nothing of the contexts.

    Its meaning changes with the micro-batch, which alone would rule it out.
    """

    def __init__(self, weight: float, temperature: float) -> None:
        super().__init__(weight)
        self.temperature = temperature

    def contrast(self, predictions: Tensor, window: Window) -> Tensor:
        logits = predictions @ window.targets.T / self.temperature
        labels = torch.arange(len(predictions), device=logits.device)
        return self.temperature * functional.cross_entropy(logits, labels, reduction="none")


class SampleHinge(Candidate):
    """A hinge on the margin of each sample: its target must win by `goal` over its best rival."""

    def __init__(self, weight: float, goal: float) -> None:
        super().__init__(weight)
        self.goal = goal

    def contrast(self, predictions: Tensor, window: Window) -> Tensor:
        cosines = offset_cosines(predictions, window)
        return functional.relu(self.goal - cosines[:, 0] + cosines[:, 1:].amax(dim=1))


def offset_cosines(predictions: Tensor, window: Window) -> Tensor:
    """(n, 7) cosines: the target first, then its rivals; −1 where there is no chunk."""
    assert window.beyond is not None
    assert window.known is not None
    rivals = torch.cat([window.contexts[:, 1:], window.beyond], dim=1)
    cosines = torch.einsum("nd,nkd->nk", predictions, rivals)
    exist = torch.cat([torch.ones_like(cosines[:, :4]), window.known], dim=1)
    target = (predictions * window.targets).sum(dim=1, keepdim=True)
    return torch.cat([target, torch.where(exist > 0, cosines, -1.0)], dim=1)


CANDIDATES: dict[str, Candidate] = {
    "offset-infonce-0.05": OffsetInfoNCE(1.0, 0.05),
    "offset-infonce-0.2": OffsetInfoNCE(1.0, 0.2),
    "offset-infonce-0.2-x3": OffsetInfoNCE(3.0, 0.2),
    "batch-infonce-0.05": BatchInfoNCE(1.0, 0.05),
    "sample-hinge": SampleHinge(1.0, 0.12),
    "sample-hinge-x3": SampleHinge(3.0, 0.12),
}
