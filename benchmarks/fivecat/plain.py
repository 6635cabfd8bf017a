"""5CAT the plain way, written from its definition (spec/fivecat.md) to hold ours against.

One sample at a time, and each test predicts anew what it needs. What chance decides, the drawn
samples and the order of each shuffle, comes in as an argument; the means are named as in the
document of a battery.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.torchs_own import Plainly, default_products
from lvm.data.samples import Samples
from lvm.models.base import LatentModel
from lvm.settings import Thresholds

Vectors = npt.NDArray[np.float32]

OFFSETS = range(-3, 4)
SHORTEST_ARTICLE = 6
LEAVE_ONE_OUT = (
    [1, 2, 3, 4, 4],
    [0, 2, 3, 4, 4],
    [0, 1, 3, 4, 4],
    [0, 1, 2, 4, 4],
    [0, 1, 2, 3, 3],
)
REVERSED, REPEAT_LAST, CROSS_ARTICLE = [4, 3, 2, 1, 0], [4] * 5, [0, 1, 2, 3, 0]


class PlainBattery:
    """The five tests on one split."""

    def __init__(self, model: LatentModel, samples: Samples, horizon: int) -> None:
        self.model = Plainly(model).eval()
        self.samples = samples
        self.horizon = horizon
        self._found: defaultdict[str, list[Any]] = defaultdict(list)

    def run(
        self,
        drawn: npt.NDArray[np.int64],
        orders: npt.NDArray[np.int64],
        thresholds: Thresholds,
    ) -> dict[str, Any]:
        """drawn: (n,) samples; orders: (n, 5) the shuffle of each. Returns the means."""
        self._found.clear()
        with default_products():
            for number, order in zip(drawn, orders, strict=True):
                self._offsets(number)
                self._retrieval(number)
                self._ablations(number, order.tolist())
                self._rollout(number)
                self._bins(number, thresholds)
        return self._means()

    # -------------------------------------------------------------- the tests

    def _offsets(self, number: int) -> None:
        """A: cosine with the chunk at each offset, k = +1 being the target."""
        article, last = self._article(number), self._target(number) - 1
        prediction = self._predict(self._contexts(number))
        if all(last + k in article for k in OFFSETS):
            self._found["cos"].append([self._cosine(prediction, last + k) for k in OFFSETS])

    def _retrieval(self, number: int) -> None:
        """B: rank of the target among its article's chunks."""
        article, target = self._article(number), self._target(number)
        prediction = self._predict(self._contexts(number))
        if len(article) >= SHORTEST_ARTICLE:
            nearness = self.samples.vectors[article.start : article.stop] @ prediction
            nearer = nearness > nearness[target - article.start]
            self._found["rank"].append(int(nearer.sum()) + 1)

    def _ablations(self, number: int, shuffle: list[int]) -> None:
        """C: how the cosine to the target changes when the contexts are spoilt."""
        contexts, target = self._contexts(number), self._target(number)
        base = self._cosine(self._predict(contexts), target)

        def change(*orders: Sequence[int]) -> float:
            spoilt = [self._predict(contexts[list(order)]) for order in orders]
            return float(np.mean([self._cosine(each, target) for each in spoilt])) - base

        self._found["shuffled"].append(change(shuffle))
        self._found["reversed"].append(change(REVERSED))
        self._found["leave_one_out"].append(change(*LEAVE_ONE_OUT))
        self._found["repeat_last"].append(change(REPEAT_LAST))
        self._found["cross_article"].append(change(CROSS_ARTICLE))

    def _rollout(self, number: int) -> None:
        """D: predictions fed back."""
        article, target = self._article(number), self._target(number)
        if target + self.horizon > article.stop:
            return
        window, steps = self._contexts(number), []
        for step in range(self.horizon):
            prediction = self._predict(window)
            steps.append(self._cosine(prediction, target + step))
            window = np.concatenate([window[1:], prediction[None]])
        self._found["rollout"].append(steps)

    def _bins(self, number: int, thresholds: Thresholds) -> None:
        """E: samples by the mean cosine of adjacent contexts."""
        contexts = self._contexts(number)
        coherence = float((contexts[1:] * contexts[:-1]).sum(axis=1).mean())
        cosine = self._cosine(self._predict(contexts), self._target(number))
        if coherence < thresholds.bin_low:
            name = "low"
        else:
            name = "normal" if coherence <= thresholds.bin_normal else "high"
        self._found[name].append(cosine)

    def _means(self) -> dict[str, Any]:
        table = np.mean(self._found["cos"], axis=0)
        others = [mean for k, mean in zip(OFFSETS, table, strict=True) if k != 1]
        ranks = np.array(self._found["rank"])
        steps = np.mean(self._found["rollout"], axis=0)
        changes = ("shuffled", "reversed", "leave_one_out", "repeat_last", "cross_article")
        bins = {name: self._found[name] for name in ("low", "normal", "high")}
        return {
            "cos": {str(k): float(mean) for k, mean in zip(OFFSETS, table, strict=True)},
            "offset_n": len(self._found["cos"]),
            "margin": float(table[OFFSETS.index(1)] - max(others)),
            "r1": float(np.mean(ranks <= 1)),
            "r5": float(np.mean(ranks <= 5)),
            "mrr": float(np.mean(1 / ranks)),
            "retrieval_n": len(ranks),
            **{name: float(np.mean(self._found[name])) for name in changes},
            "rollout": float(steps.mean()),
            "rollout_steps": steps.tolist(),
            "rollout_n": len(self._found["rollout"]),
            **{f"{name}_mean": float(np.mean(of)) if of else None for name, of in bins.items()},
            **{f"{name}_n": len(of) for name, of in bins.items()},
        }

    # -------------------------------------------------------------- one sample

    def _predict(self, contexts: Vectors) -> Vectors:
        """(5, D) → (D,)."""
        with torch.no_grad():
            prediction: Vectors = self.model(torch.from_numpy(contexts)[None])[0].numpy()
        return prediction

    def _contexts(self, number: int) -> Vectors:
        rows = self.samples.contexts[number]
        return np.asarray(self.samples.context_vectors[rows], np.float32)

    def _target(self, number: int) -> int:
        return int(self.samples.target_rows[number])

    def _article(self, number: int) -> range:
        starts, ends = self.samples.article_starts, self.samples.article_ends
        return range(int(starts[number]), int(ends[number]))

    def _cosine(self, prediction: Vectors, row: int) -> float:
        return float(prediction @ self.samples.vectors[row])


def differences(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, float]:
    """By how much each number of `expected` is another one in a battery's document."""
    off: dict[str, float] = {}
    for name, value in expected.items():
        other = found[name]
        if isinstance(value, dict):
            off |= {f"{name} {key}": by for key, by in differences(other, value).items()}
        elif isinstance(value, list):
            off[name] = float(np.abs(np.subtract(other, value)).max())
        elif value is None or other is None:
            off[name] = 0.0 if value is other else float("inf")
        else:
            off[name] = abs(other - value)
    return off
