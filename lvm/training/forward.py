"""The objective "forward": near the target, and nearer to it than to any chunk around it.

5CAT's margin is a difference of means over many samples, c₊₁ − max over k ≠ 1 of c_k, where c_k is
the mean cosine of the predictions with the chunk at offset k (k = 0 the last context, k = +1 the
target). This objective is that number itself, made smooth, with the cosine beside it:

    L = (1 − c₊₁) + push · softplus_τ(goal − m),    m = c₊₁ − softmax_τ(c)·c over k in −3…0, +2, +3

softplus_τ(x) = τ·log(1 + exp(x / τ)) is a hinge: while the margin m is well above `goal` only the
cosine is left. softmax_τ is the greatest rival with its near equals, so that pushing one rival
down does not lift the next above it.

L is a function of means, and a mean over a micro-batch is not the mean over the batch. So in each
step the weights that L's gradient has, dL/dc_k = push·σ·w_k for a rival and −1 − push·σ for the
target, with w = softmax_τ(c) and σ = sigmoid((goal − m) / τ), are taken as constants from a running
mean of c over the steps before. What a step minimises is then linear in the cosines:

    loss = mean over samples of  (1 − cos₊₁) + push·σ·(Σ_k w_k·cos_k − cos₊₁)

which has the same gradient and is a plain mean over samples: accumulation, halving and ranks change
nothing, and the running mean (14 numbers) is all that a resumed run needs. The validation loss is
L on the means of the whole split.

For constant weights the best prediction is the direction of E[chunk₊₁] − λ·Σ w_k·E[chunk_k], with
λ = push·σ / (1 + push·σ): the linear frontier of lvm/quality/frontier.py, with a network's
expectations in place of ridge's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lvm.settings import CONTEXT_LENGTH, TrainSettings
from lvm.training.objectives import BEYOND, Objective, Window, wide_dtype

OFFSETS = (-3, -2, -1, 0, 1, 2, 3)
TARGET = OFFSETS.index(1)
CONTEXTS = TARGET
"""Offsets up to 0: the last four contexts."""

DECAY = 0.95
"""Of the running mean: about 20 steps, so that the noise of one batch moves no weight, and the
weights still follow when another rival takes the lead."""


class Forward(Objective):
    """See the module. `memory`: running mean cosine (7) and share of samples that have it (7)."""

    looks_beyond = True
    tally_size = 2 * len(OFFSETS) + 1

    def __init__(self, push: float, goal: float, temperature: float) -> None:
        self._push, self._goal, self._temperature = push, goal, temperature
        self._memory: list[float] = []
        self._factors = self._gradient([], [])

    @classmethod
    def of(cls, settings: TrainSettings) -> Forward:
        return cls(settings.forward_push, settings.forward_goal, settings.forward_temperature)

    def loss(self, predictions: Tensor, window: Window) -> Tensor:
        cosines = _cosines(predictions, window)
        return 1.0 + cosines.mean(dim=0) @ cosines.new_tensor(self._factors)

    def tally(self, predictions: Tensor, window: Window) -> Tensor:
        """(15,) sums of the cosines at each offset, samples that have it, samples."""
        cosines = _cosines(predictions, window).sum(dim=0, dtype=wide_dtype(predictions.device))
        counts = cosines.new_full((len(OFFSETS) + 1,), len(predictions))
        if window.known is not None:
            counts[-1 - BEYOND : -1] = window.known.sum(dim=0)
        return torch.cat([cosines, counts])

    def learn(self, tally: Tensor) -> None:
        means, shares = _means(tally)
        now = [*means, *shares]
        before = self._memory or now
        self.memory = [
            DECAY * old + (1 - DECAY) * new for old, new in zip(before, now, strict=True)
        ]

    def of_split(self, tally: Tensor) -> float | None:
        """L itself, on the means of the split."""
        means, shares = _means(tally)
        shortfall = (self._goal - self._margin(means, shares)) / self._temperature
        hinge = max(shortfall, 0.0) + math.log1p(math.exp(-abs(shortfall)))
        return 1.0 - means[TARGET] + self._push * self._temperature * hinge

    @property
    def memory(self) -> list[float]:
        return list(self._memory)

    @memory.setter
    def memory(self, numbers: list[float]) -> None:
        self._memory = list(numbers)
        size = len(OFFSETS)
        self._factors = self._gradient(self._memory[:size], self._memory[size:])

    def _gradient(self, means: Sequence[float], shares: Sequence[float]) -> list[float]:
        """(7,) what each cosine of a sample counts in `loss`: dL/dc_k at these means.

        Before the first step nothing is known: full pressure, all contexts alike.
        """
        if not means:
            means, shares = [0.0] * len(OFFSETS), [1.0] * len(OFFSETS)
            pressure = self._push
        else:
            shortfall = (self._goal - self._margin(means, shares)) / self._temperature
            pressure = self._push * 0.5 * (1.0 + math.tanh(shortfall / 2))  # a sigmoid
        weights = self._weights(means, shares)
        factors = [
            pressure * weight / share if weight else 0.0
            for weight, share in zip(weights, shares, strict=True)
        ]
        factors[TARGET] = -1.0 - pressure
        return factors

    def _margin(self, means: Sequence[float], shares: Sequence[float]) -> float:
        weights = self._weights(means, shares)
        return means[TARGET] - sum(w * c for w, c in zip(weights, means, strict=True))

    def _weights(self, means: Sequence[float], shares: Sequence[float]) -> list[float]:
        """softmax_τ over the rivals that some sample has; the target's is 0."""
        rivals = [k for k, share in enumerate(shares) if share > 0 and k != TARGET]
        greatest = max(means[k] for k in rivals)
        weights = [
            math.exp((mean - greatest) / self._temperature) if k in rivals else 0.0
            for k, mean in enumerate(means)
        ]
        return [weight / sum(weights) for weight in weights]


def _cosines(predictions: Tensor, window: Window) -> Tensor:
    """(n, 7) cosine with the chunk at each offset; 0 where there is none."""
    chunks = [window.contexts[:, CONTEXT_LENGTH - CONTEXTS :], window.targets[:, None]]
    if window.beyond is not None:
        chunks.append(window.beyond)
    return torch.einsum("nd,nkd->nk", predictions.float(), torch.cat(chunks, dim=1))


def _means(tally: Tensor) -> tuple[list[float], list[float]]:
    """Mean cosine at each offset, and the share of the samples that have a chunk there."""
    numbers = tally.tolist()
    sums, counts, total = numbers[: len(OFFSETS)], numbers[len(OFFSETS) : -1], numbers[-1]
    means = [one / max(count, 1.0) for one, count in zip(sums, counts, strict=True)]
    return means, [count / max(total, 1.0) for count in counts]
