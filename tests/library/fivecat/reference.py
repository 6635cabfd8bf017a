"""5CAT again, one sample at a time in NumPy, written from its definition and nothing else.

Shares no code with lvm.fivecat. What chance decides, the drawn samples and the order of each
shuffle, comes in as an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lvm.data.samples import Samples

Vector = npt.NDArray[np.float64]
Predict = Callable[[npt.NDArray[np.float32]], Vector]
"""(5, D) → (D,)."""


def split(
    predict: Predict,
    samples: Samples,
    drawn: npt.NDArray[np.int64],
    orders: npt.NDArray[np.int64],
    *,
    horizon: int,
    origin: str,
    low: float = 0.45,
    normal: float = 0.55,
) -> dict[str, Any]:
    tables, ranks, ranks_without, rollouts = [], [], [], []
    changes: dict[str, list[float]] = {}
    by_bin: dict[str, list[float]] = {"low": [], "normal": [], "high": []}
    for number, order in zip(drawn, orders, strict=True):
        contexts = samples.context_vectors[samples.contexts[number]]
        target = int(samples.target_rows[number])
        article = range(int(samples.article_starts[number]), int(samples.article_ends[number]))
        last_context = target - 1
        zero = last_context if origin == "context" else target

        def cos(prediction: Vector, row: int) -> float:
            return float(prediction @ samples.vectors[row].astype(float))

        base = predict(contexts)
        base_cos = cos(base, target)

        # A
        if all(zero + k in article for k in range(-3, 4)):
            tables.append([cos(base, zero + k) for k in range(-3, 4)])

        # B
        if len(article) >= 6:
            for found, left_out in (
                (ranks, []),
                (ranks_without, [last_context - back for back in range(5)]),
            ):
                candidates = [row for row in article if row not in left_out]
                nearest_first = sorted(candidates, key=lambda row: -cos(base, row))
                found.append(nearest_first.index(target) + 1)

        # C
        spoilt = {
            "shuffled": [contexts[order]],
            "reversed": [contexts[::-1]],
            "leave_one_out": [],
            "repeat_last": [np.stack([contexts[4]] * 5)],
            "cross_article": [np.concatenate([contexts[:4], contexts[:1]])],
        }
        for out in range(5):
            rest = [chunk for place, chunk in enumerate(contexts) if place != out]
            spoilt["leave_one_out"].append(np.stack([*rest, rest[-1]]))
        for name, forms in spoilt.items():
            mean = np.mean([cos(predict(form), target) - base_cos for form in forms])
            changes.setdefault(name, []).append(float(mean))

        # D
        if all(zero + h in article for h in range(1, horizon + 1)):
            window, steps = [chunk.astype(float) for chunk in contexts], []
            for h in range(1, horizon + 1):
                prediction = predict(np.stack(window).astype(np.float32))
                steps.append(cos(prediction, zero + h))
                window = [*window[1:], prediction]
            rollouts.append(steps)

        # E
        pairs = [float(contexts[i].astype(float) @ contexts[i + 1]) for i in range(4)]
        together = sum(pairs) / 4
        name = "low" if together < low else "normal" if together <= normal else "high"
        by_bin[name].append(base_cos)

    table = np.mean(tables, axis=0)
    others = [table[i] for i in range(7) if i != 4]
    rank, rank_without = np.array(ranks), np.array(ranks_without)
    result: dict[str, Any] = {
        "cos": {str(k): table[k + 3] for k in range(-3, 4)},
        "margin": table[4] - max(others),
        "best_offset": int(np.argmax(table)) - 3,
        "offset_n": len(tables),
        "r1": np.mean(rank == 1),
        "r5": np.mean(rank <= 5),
        "mrr": np.mean(1 / rank),
        "r1_without_context": np.mean(rank_without == 1),
        "r5_without_context": np.mean(rank_without <= 5),
        "mrr_without_context": np.mean(1 / rank_without),
        "retrieval_n": len(ranks),
        "rollout_steps": list(np.mean(rollouts, axis=0)),
        "rollout": np.mean(np.mean(rollouts, axis=0)),
        "rollout_n": len(rollouts),
    }
    result |= {name: np.mean(values) for name, values in changes.items()}
    for name, values in by_bin.items():
        result[f"{name}_mean"] = np.mean(values) if values else None
        result[f"{name}_n"] = len(values)
    return result
