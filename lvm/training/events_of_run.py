"""The events that the loop tells of itself, made from its numbers. Nothing here decides."""

from __future__ import annotations

import os

from lvm import events
from lvm.data.sources import Corpus
from lvm.settings import TrainSettings
from lvm.training.state import TrainState

EVENT_INTERVAL = 0.1
"""Seconds between two batch or progress events: more than ten a second nobody can read."""


def run_started(
    settings: TrainSettings,
    corpus: Corpus,
    state: TrainState,
    *,
    run: str,
    parameters: int,
    batches: int,
    device: str,
    resumed: bool,
) -> events.RunStarted:
    return events.RunStarted(
        run=run,
        model=settings.model,
        settings=settings.to_json(),
        parameters=parameters,
        epochs=settings.epochs,
        batches_per_epoch=batches,
        samples={
            "train": len(corpus.train),
            "val": len(corpus.val),
            "ood": len(corpus.ood),
        },
        dim=corpus.dim,
        device=device,
        host=os.uname().nodename,
        pid=os.getpid(),
        resumed=resumed,
        step=state.step,
        epoch=state.epoch,
    )


def run_finished(state: TrainState, outcome: str, reason: str) -> events.RunFinished:
    best = next((entry for entry in state.history if entry["epoch"] == state.best_epoch), None)
    return events.RunFinished(
        outcome=outcome,
        epochs=state.epoch,
        seconds=state.seconds,
        reason=reason,
        best_epoch=state.best_epoch,
        best_val_loss=state.best_val_loss,
        best_val_cosine=best["val_cosine"] if best else None,
        best_5cat_epoch=state.best_5cat_epoch,
        summary=state.summary,
    )


class BatchReport:
    """Means over the batches since the last event, from the sums of the epoch."""

    def __init__(self, now: float) -> None:
        self._told = now
        self._seen = (0.0, 0.0, 0.0)

    def due(self, now: float) -> bool:
        return now - self._told >= EVENT_INTERVAL

    def idled(self, seconds: float) -> None:
        self._told += seconds

    def event(
        self,
        state: TrainState,
        sums: list[float],
        now: float,
        *,
        batches: int,
        rate: float,
        ranks: int,
        memory_mb: float,
    ) -> events.Batch:
        """sums: loss·n, cosine and n of this rank over the epoch."""
        loss, cosine, count = (new - old for new, old in zip(sums, self._seen, strict=True))
        event = events.Batch(
            epoch=state.epoch + 1,
            step=state.step,
            batch=state.batch,
            batches=batches,
            loss=loss / max(count, 1.0),
            cosine=cosine / max(count, 1.0),
            learning_rate=rate,
            samples_per_second=count * ranks / max(now - self._told, 1e-9),
            memory_mb=memory_mb,
        )
        self._told, self._seen = now, (sums[0], sums[1], sums[2])
        return event
