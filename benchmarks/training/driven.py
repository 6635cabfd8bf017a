"""Our trainer, batch by batch, through nothing but its public interface.

`train(…)` asks its `control` before every batch and can be paused there: so it runs as many batches
as it is told, then yields `Paused` and waits for its next turn, in the same process as what it is
measured against.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
import torch

from lvm.clock import SystemClock
from lvm.control import Action
from lvm.data.sources import Corpus
from lvm.events import Event, Paused
from lvm.settings import Thresholds, TrainSettings
from lvm.training.trainer import train

LONG_EPOCH = 2_000
"""Batches of an epoch: no turn reaches its end, so validation and 5CAT are in no figure."""


class Unhurried(SystemClock):
    """A pause is over when the next turn begins: nobody waits for it."""

    def sleep(self, seconds: float) -> None:
        del seconds


class Driven:
    """A training that goes on by so many batches, and stops. A context manager."""

    def __init__(self, settings: TrainSettings, corpus: Corpus, folder: Path) -> None:
        self.settings = settings
        self.steps = 0
        """Done so far."""
        self._left = 0
        self._paused = False
        folder.mkdir(parents=True, exist_ok=True)
        self._events: Iterator[Event] = train(
            settings,
            with_long_epoch(corpus, settings.batch_size),
            folder,
            thresholds=Thresholds(),
            control=self._control,
            clock=Unhurried(),
        )

    def run(self, batches: int) -> None:
        """Train so many batches; what the device still has to do is waited for."""
        self._left = batches
        for event in self._events:
            if isinstance(event, Paused):
                break
        else:
            raise SystemExit(f"the training ended before {batches} batches were done")
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if event.step - self.steps != batches:
            raise SystemExit(f"{event.step - self.steps} batches were done, not {batches}")
        self.steps = event.step

    def _control(self) -> Action | None:
        if self._left == 0:
            self._paused = True
            return "pause"
        self._left -= 1  # "resume" is followed by a batch, without a second question
        paused, self._paused = self._paused, False
        return "resume" if paused else None

    def __enter__(self) -> Driven:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        close = getattr(self._events, "close", None)
        if close is not None:
            close()


def with_long_epoch(corpus: Corpus, batch_size: int) -> Corpus:
    """The same training data over and over, as one epoch that is longer than what is measured."""
    train = corpus.train
    times = -(-LONG_EPOCH * batch_size // len(train))
    longer = replace(
        train,
        contexts=np.tile(train.contexts, (times, 1)),
        targets=np.tile(train.targets, times),
        article_ids=None,
        target_indices=None,
    )
    return replace(corpus, train=longer)
