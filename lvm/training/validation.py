"""Loss and cosine over a whole split, and whether the outputs have collapsed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from lvm.training.batches import BatchSource
from lvm.training.distributed import World
from lvm.training.objectives import Objective, cosine_sum, wide_dtype


@dataclass(frozen=True, slots=True)
class Validation:
    """Means over the samples of a split."""

    loss: float
    cosine: float
    outputs_alike: float
    """Mean pairwise cosine of the outputs: squared length of their mean."""
    targets_alike: float


def validate(
    model: nn.Module,
    source: BatchSource,
    objective: Objective,
    *,
    batch_size: int,
    device: torch.device,
    dim: int,
    world: World,
) -> Validation:
    """Evaluate `model` on all of `source`, split over the ranks; its mode is restored."""
    wide = wide_dtype(device)
    sums = torch.zeros(3, dtype=wide, device=device)
    outputs = torch.zeros(dim, dtype=wide, device=device)
    tally = torch.zeros(objective.tally_size, dtype=wide, device=device)
    targets_sum = torch.zeros(dim, dtype=wide, device=device)
    mine = np.arange(world.rank, len(source), world.size, dtype=np.int64)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for start in range(0, len(mine), batch_size):
                window = source.fetch(mine[start : start + batch_size])
                predictions, targets = model(window.contexts), window.targets
                count = len(targets)
                sums[0] += objective.loss(predictions, window).to(wide) * count
                sums[1] += cosine_sum(predictions, targets)
                sums[2] += count
                tally += objective.tally(predictions, window)
                outputs += predictions.sum(dim=0, dtype=wide)
                targets_sum += targets.sum(dim=0, dtype=wide)
    finally:
        model.train(was_training)
    total = world.add_up(torch.cat([sums, outputs, targets_sum, tally])).cpu()
    means = total / total[2]
    whole = objective.of_split(total[3 + 2 * dim :])
    return Validation(
        loss=float(means[0]) if whole is None else whole,
        cosine=float(means[1]),
        outputs_alike=float(means[3 : 3 + dim].square().sum()),
        targets_alike=float(means[3 + dim : 3 + 2 * dim].square().sum()),
    )
