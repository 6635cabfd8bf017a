"""5CAT within a run: the battery, its progress, its alerts, and what it means for production."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import torch
from torch import nn

from lvm import events
from lvm.clock import Clock
from lvm.data.sources import Corpus
from lvm.fivecat.battery import iter_battery
from lvm.fivecat.gates import readiness
from lvm.settings import FivecatSettings, Thresholds, TrainSettings
from lvm.training import alerts
from lvm.training.events_of_run import EVENT_INTERVAL
from lvm.training.state import TrainState

SPLITS = ("VAL", "OOD")


def battery(
    model: nn.Module,
    corpus: Corpus,
    settings: TrainSettings,
    thresholds: Thresholds,
    device: torch.device,
    clock: Clock,
    epoch: int,
) -> Generator[events.Event | None, None, tuple[dict[str, Any], float]]:
    """Run 5CAT in its short form. Yields progress events, or None where nothing is to be told.

    Every yield is a place to stop: closing the generator cancels the battery. Returns the 5CAT
    document and the seconds it took. Raises what the battery raises.
    """
    fivecat = FivecatSettings(
        max_samples=settings.fivecat_samples,
        horizon=settings.fivecat_horizon,
        seed=settings.seed,
    )
    yield events.FivecatStarted(epoch, fivecat.max_samples, fivecat.horizon)
    begun = told = clock.monotonic()
    running = iter_battery(
        model, corpus.val_samples, corpus.ood_samples, fivecat, thresholds, device
    )
    while True:
        try:
            progress = next(running)
        except StopIteration as end:
            return end.value.to_json(), clock.monotonic() - begun
        now = clock.monotonic()
        if now - told < EVENT_INTERVAL:
            yield None
            continue
        told = now
        yield events.FivecatProgress(
            epoch, progress.split, progress.test, progress.done, progress.total
        )


def judge(result: dict[str, Any], state: TrainState, epoch: int) -> list[events.AlertRaised]:
    """Raise the alerts of a 5CAT document, and set its "ready" by the run's whole history."""
    raised = alerts.fivecat_alerts(result, epoch)
    for alert in raised:
        state.remember(alert)
    result |= verdict(result, state)
    return raised


def verdict(result: dict[str, Any], state: TrainState) -> dict[str, Any]:
    """The fields "ready" and "missing" of a 5CAT document, by the alerts of the run until now."""
    against = sum(map(alerts.counts_against_production, state.alerts))
    ready, missing = readiness(result, against)
    return {"ready": ready, "missing": missing}


def history_fields(result: dict[str, Any]) -> dict[str, Any]:
    """What a 5CAT document adds to its epoch's entry in training_history.json."""
    lasting = {name: value for name, value in result.items() if name != "seconds"}
    return {
        "val_margin": result["VAL"]["margin"],
        "ood_margin": result["OOD"]["margin"],
        "val_rollout": result["VAL"]["rollout"],
        "ood_rollout": result["OOD"]["rollout"],
        "cat_score": result["score"],
        "5cat": lasting,
    }


def severe_words(entry: dict[str, Any]) -> str:
    """Why an epoch's 5CAT stops the run, or ""."""
    for split in SPLITS if "5cat" in entry else ():
        found = entry["5cat"][split]
        if found["level"] == "severe":
            skips = found["best_offset"] is not None and found["best_offset"] > 1
            title = "skips ahead" if skips else "severe backward bias"
            return f"{title} at epoch {entry['epoch']}: {split} {found['message']}"
    return ""
