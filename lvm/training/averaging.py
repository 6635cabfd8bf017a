"""A running mean of the weights: what is validated, tested and saved, where settings ask for it.

After step t the mean moves by 1 / (1 + share·(t − 1)) of its distance to the weights: it spans
about the last `share` of all steps so far, whatever the size of the data and the length of the run,
and soon forgets the weights of the beginning. It costs one pass over the weights a step; the
weights that are trained, their rate and the order of batches stay what they are without it.

Izmailov et al. 2018, Averaging Weights Leads to Wider Optima and Better Generalization; a share of
the steps instead of a fixed decay as in Karras et al. 2024, Analyzing and Improving the Training
Dynamics of Diffusion Models, section 3.1.
"""

from __future__ import annotations

from typing import Any, cast

from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lvm.models.base import LatentModel


class Averaging:
    """Follows `model`; a `share` of 0 is no averaging, and `judged` is the model itself."""

    def __init__(self, model: LatentModel, share: float) -> None:
        self._model, self._share = model, share
        self._mean: AveragedModel | None = None
        if share > 0:
            self._mean = AveragedModel(model)

    @property
    def judged(self) -> LatentModel:
        """The model whose weights count: for validation, 5CAT and checkpoints."""
        if self._mean is None:
            return self._model
        return cast(LatentModel, self._mean.module)

    def update(self, step: int) -> None:
        """After step `step`, counted from 1, which has changed the model's weights."""
        if self._mean is not None:
            weight = 1.0 / (1.0 + self._share * (step - 1))
            self._mean.multi_avg_fn = get_ema_multi_avg_fn(1.0 - weight)
            self._mean.update_parameters(self._model)

    def state(self) -> dict[str, Any] | None:
        """For `last.pt`; None without averaging."""
        return None if self._mean is None else self._mean.state_dict()

    def restore(self, state: dict[str, Any] | None) -> None:
        """Back to what `state` gave."""
        if self._mean is not None:
            assert state is not None  # state.py: a run cannot begin to average half-way
            self._mean.load_state_dict(state)
