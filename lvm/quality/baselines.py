"""What any model has to beat: copy last, mean of contexts, ridge (spec/data.md "Baselines").

Each is a torch module, (n, 5, D) → (n, D) of unit length, for the same 5CAT as every model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lvm.data.progress import Progress, quiet
from lvm.data.sequences import SequenceSet
from lvm.quality.ridge import AffineMap, accumulate, choose_alpha, split_for_tuning

if TYPE_CHECKING:
    from torch import nn

BASELINES = ("copy_last", "mean", "ridge")
"""In the order of the tables."""
LABELS = {"copy_last": "copy last", "mean": "mean of contexts", "ridge": "ridge"}


@dataclass(frozen=True)
class Ridge:
    """A fitted ridge regression."""

    map: AffineMap
    alpha: float
    """Relative to the mean squared length of a context feature; chosen on held-out articles."""
    samples: int
    """How many it was fitted on."""

    def predictor(self) -> nn.Module:
        from lvm.quality.predictors import LinearPredictor

        return LinearPredictor(self.map.weight, self.map.bias)


def copy_last() -> nn.Module:
    """Predicts the last context: the best that pure similarity does, and all of it backward."""
    from lvm.quality.predictors import CopyLast

    return CopyLast()


def mean_of_contexts() -> nn.Module:
    """Predicts the mean of the five contexts."""
    from lvm.quality.predictors import MeanOfContexts

    return MeanOfContexts()


def fit_ridge(
    train: SequenceSet,
    *,
    seed: int = 0,
    max_samples: int = 1_000_000,
    progress: Progress = quiet,
) -> Ridge:
    """Fit on training articles; choose α on a tenth of them that the fit does not see.

    Memory: about 4·(5·D)²·8 bytes (0.5 GB for 768-D) whatever the number of samples.
    Raises DataError for fewer than 20 samples.
    """
    rng = np.random.default_rng(seed)
    fit, tune = split_for_tuning(train, rng, max_samples)
    equations = accumulate(train, fit, progress=progress)
    alpha = choose_alpha(equations, *train.gather(tune))
    return Ridge(equations.solve(alpha, ahead=1)[0], alpha, len(fit))
