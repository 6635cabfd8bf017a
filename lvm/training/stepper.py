"""One optimiser step: micro-batches, gradient accumulation, warm-up, out of memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lvm.errors import RunError
from lvm.events import BatchHalved
from lvm.models.base import LatentModel
from lvm.settings import TrainSettings
from lvm.training.batches import BatchSource, step_seed
from lvm.training.compiling import compiled, failures_told
from lvm.training.device import is_out_of_memory, release_memory
from lvm.training.distributed import World
from lvm.training.objectives import Objective, cosine_sum, wide_dtype
from lvm.training.sharing import masks_of, noise_of

SMALLEST_MICRO_BATCH = 8
"""Below this, out of memory is given up on: the model itself does not fit."""

WARMUP_SHARE = 0.1
"""Warm-up takes at most this share of a run's steps, so that short runs still train."""


def warmup_steps(settings: TrainSettings, batches_per_epoch: int) -> int:
    """Steps of linear warm-up."""
    return min(settings.warmup_steps, int(WARMUP_SHARE * settings.epochs * batches_per_epoch))


class Stepper:
    """Holds model and optimiser, and does steps. The caller keeps count of them."""

    def __init__(
        self,
        model: LatentModel,
        source: BatchSource,
        objective: Objective,
        settings: TrainSettings,
        device: torch.device,
        world: World,
    ) -> None:
        self.model = model
        self.optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=device.type in ("cpu", "cuda"),  # one pass over each weight instead of ten
        )
        self.micro_batch = settings.micro_batch or settings.batch_size
        self.sums = torch.zeros(3, dtype=wide_dtype(device), device=device)
        """Over the epoch, this rank: loss·n, cosine, n."""
        self._parallel = world.wrap(model)
        self._whole_batches = compiled(self._parallel) if settings.compile else self._parallel
        self._source = source
        self._objective = objective
        self._settings = settings
        self._device = device
        self._world = world

    def set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def step(self, samples: npt.NDArray[np.int64], step: int) -> list[BatchHalved]:
        """One optimiser step on `samples` (all ranks' together).

        Returns how often the micro-batch had to be halved. Raises RunError when it cannot be
        halved any more.
        """
        share = samples[self._world.rank :: self._world.size]
        halved: list[BatchHalved] = []
        while True:
            try:
                with failures_told() if self._settings.compile else nullcontext():
                    sums, tally = self._forward_and_backward(share, samples, step)
                self.optimizer.step()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                halved.append(self._halve(step, len(share), error))
            else:
                self.sums += sums
                if len(tally):
                    self._objective.learn(self._world.add_up(tally))
                return halved

    def _forward_and_backward(
        self, share: npt.NDArray[np.int64], samples: npt.NDArray[np.int64], step: int
    ) -> tuple[Tensor, Tensor]:
        """Gradients of the batch; the sums of this rank, and its objective's tally."""
        self.optimizer.zero_grad(set_to_none=True)
        idle = len(share) == 0  # a last batch smaller than the number of ranks
        mine = samples[:1] if idle else share  # … still needs a backward pass, of weight 0
        sums = torch.zeros_like(self.sums)
        tally: Tensor | None = None
        places = np.arange(0 if idle else self._world.rank, len(samples), self._world.size)
        starts = range(0, len(mine), self.micro_batch)
        for start in starts:
            window = self._source.fetch(mine[start : start + self.micro_batch])
            rows = self._places(places[start : start + len(window.targets)])
            count = 0 if idle else len(window.targets)
            with self._world.gradients_shared(self._parallel, last=start == starts[-1]):
                masks = masks_of(
                    rows,
                    len(samples),
                    batch_axis=self.model.dropout_batch_axis,
                    seed=step_seed(self._settings.seed, step),
                )
                mixed = torch.autocast(
                    self._device.type,
                    dtype=torch.bfloat16,
                    enabled=self._settings.precision == "bf16",
                )
                with mixed, masks:
                    contexts = self._blurred(window.contexts, rows, len(samples))
                    predictions = self._module(count, len(samples))(contexts)
                loss = self._objective.loss(predictions, window)
                # DistributedDataParallel averages over ranks; the batch's mean needs the sum.
                (loss * (count * self._world.size / len(samples))).backward()
            with torch.no_grad():
                sums[0] += loss.to(sums.dtype) * count
                sums[1] += cosine_sum(predictions, window.targets)
                sums[2] += count
                seen = self._objective.tally(predictions, window) * (0 if idle else 1)
                tally = seen if tally is None else tally + seen
        assert tally is not None
        return sums, tally

    def _module(self, rows: int, total: int) -> Callable[[Tensor], Tensor]:
        """Compiled only for the shape that nearly all batches have, and never for a cut batch,
        whose random numbers are intercepted (sharing.py)."""
        whole = rows == total == self._settings.batch_size
        return self._whole_batches if whole else self._parallel

    def _places(self, places: npt.NDArray[np.int64]) -> Tensor:
        """(n,) rows of the whole batch, on the device."""
        return torch.from_numpy(places).to(self._device)

    def _blurred(self, contexts: Tensor, rows: Tensor, total: int) -> Tensor:
        """What the model reads: the contexts with noise, if the settings ask for it."""
        length = self._settings.context_noise
        if length == 0.0:
            return contexts
        noise = noise_of(rows, total, contexts)
        return contexts + noise * (length / math.sqrt(contexts.shape[-1]))

    def _halve(self, step: int, batch: int, error: BaseException) -> BatchHalved:
        self.optimizer.zero_grad(set_to_none=True)
        release_memory(self._device)
        smaller = min(self.micro_batch, batch) // 2
        if smaller < SMALLEST_MICRO_BATCH:
            raise RunError(
                f"out of memory even with {2 * smaller} rows a forward pass",
                where=f"step {step} on {self._device}",
                fix="free memory on the device, or train a smaller model (d_model, hidden_dim)",
            ) from error
        self.micro_batch = smaller
        return BatchHalved(step=step, micro_batch=smaller, accumulate=-(-batch // smaller))
