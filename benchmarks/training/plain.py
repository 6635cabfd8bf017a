"""The plain way to train, written from the specs, to hold ours against.

A torch DataLoader over a Dataset that fetches items one by one from the inflated arrays; AdamW;
`.item()` of loss and cosine each batch; float32; torch's own modules.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks.torchs_own import Plainly, default_products
from lvm.data.sequences import SequenceSet
from lvm.models.base import LatentModel
from lvm.settings import TrainSettings

Pair = tuple[Tensor, Tensor]


class Inflated(Dataset[Pair]):
    """All contexts (N, 5, D) and targets (N, D) in memory, as np.load of the sequence files is."""

    def __init__(self, sequences: SequenceSet) -> None:
        self.contexts, self.targets = sequences.gather(slice(None))

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> Pair:
        return torch.from_numpy(self.contexts[index]), torch.from_numpy(self.targets[index])

    @property
    def nbytes(self) -> int:
        arrays: tuple[npt.NDArray[np.float32], ...] = (self.contexts, self.targets)
        return sum(array.nbytes for array in arrays)


class PlainLoop:
    """Trains `model` for as many batches as it is told; begins the data anew when it ends."""

    def __init__(
        self, model: LatentModel, data: Inflated, settings: TrainSettings, device: torch.device
    ) -> None:
        self.model = Plainly(model).to(device).train()
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.losses: list[float] = []
        self.cosines: list[float] = []
        self._device = device
        loader = DataLoader(data, batch_size=settings.batch_size, shuffle=True, drop_last=True)
        self._batches: Iterator[Pair] = itertools.chain.from_iterable(itertools.repeat(loader))

    def run(self, batches: int) -> None:
        with default_products():
            for contexts, targets in itertools.islice(self._batches, batches):
                self._step(contexts.to(self._device), targets.to(self._device))

    def _step(self, contexts: Tensor, targets: Tensor) -> None:
        self.optimizer.zero_grad()
        predictions = self.model(contexts)
        loss = functional.mse_loss(predictions, targets)
        loss.backward()
        self.optimizer.step()
        self.losses.append(loss.item())
        self.cosines.append(functional.cosine_similarity(predictions, targets).mean().item())
