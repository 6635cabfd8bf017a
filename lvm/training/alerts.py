"""Which findings a person must be told of, and in which words. Pure: numbers in, alerts out."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from lvm.events import AlertRaised, BatchHalved, SlowEpoch

SLOW_FACTOR = 2.0
"""An epoch this many times the median of the run's epochs before it is called slow."""

SLOW_BY = 10.0
"""… and by so many seconds: an epoch of one second that took three is no news."""

SLOW_AFTER = 3
"""Epochs needed before there is a median worth comparing with."""

SLOW_ON_MPS = 480.0
"""Seconds; the guide's figure for an epoch on Apple silicon."""

_LEVELS_THAT_ALERT = ("severe", "alarm", "caution")

_TITLES = {
    "severe": "SEVERE BACKWARD BIAS",
    "alarm": "BACKWARD BIAS",
    "caution": "slight backward tendency",
}

_COLLAPSE_FIX = "lower the learning rate or lengthen the warm-up"

_DIRECTION_FIX = (
    "check the data (lvm diagnose: coherence ≥ 0.40, signal ≥ +0.08, rising order); "
    "if it is good, train with --objective forward, and look for swapped contexts and targets"
)


def fivecat_alerts(result: dict[str, Any], epoch: int) -> list[AlertRaised]:
    """The alerts of one 5CAT document, VAL before OOD."""
    return [
        alert
        for split in ("VAL", "OOD")
        if (alert := _split_alert(result[split], split, epoch)) is not None
    ]


def _split_alert(split: dict[str, Any], name: str, epoch: int) -> AlertRaised | None:
    level, margin = split["level"], split["margin"]
    if split.get("collapsed"):
        return AlertRaised(
            alert=f"collapse-{epoch}-{name}",
            cause="collapse",
            level="alarm",
            message=f"COLLAPSED  {name}: all outputs are alike, whatever the model reads",
            fix=_COLLAPSE_FIX,
            epoch=epoch,
            split=name,
            value=margin,
        )
    if level not in _LEVELS_THAT_ALERT:
        return None
    skips = split["best_offset"] is not None and split["best_offset"] > 1
    cause = "skips_ahead" if skips else "backward_bias"
    title = "SKIPS AHEAD" if skips else _TITLES[level]
    return AlertRaised(
        alert=f"{cause}-{epoch}-{name}",
        cause=cause,
        level=level,
        message=f"{title}  {name} {split['message']}",
        fix=_DIRECTION_FIX,
        epoch=epoch,
        split=name,
        value=margin,
    )


def slow_epoch(
    epoch: int, seconds: float, before: Sequence[float], device: str, load: float, cores: int
) -> SlowEpoch | None:
    """Whether an epoch was slow, with its likely cause.

    load: the machine's load average of the last minute; before: seconds of the epochs so far.
    """
    median = statistics.median(before) if len(before) >= SLOW_AFTER else None
    limit = max(SLOW_FACTOR * median, median + SLOW_BY) if median is not None else None
    if device == "mps" and seconds > SLOW_ON_MPS:
        limit = min(limit, SLOW_ON_MPS) if limit is not None else SLOW_ON_MPS
    if limit is None or seconds <= limit:
        return None
    if load > cores * 1.25:
        cause = f"other load: the machine's load is {load:.1f} on {cores} cores"
    elif device == "mps":
        cause = "thermal throttling, or an operation that falls back to the CPU"
    else:
        cause = "thermal throttling, or memory that is being swapped"
    return SlowEpoch(epoch=epoch, seconds=seconds, median=median or limit, cause=cause)


def is_slow_news(found: SlowEpoch, before: Sequence[float], device: str) -> bool:
    """Whether a slow epoch is to be raised, and not only told in the log: the first of a run, and
    one that took SLOW_FACTOR times as long as the worst that was slow before. Who has acknowledged
    that the machine is busy need not do so every epoch.

    before: seconds of the epochs so far, without it.
    """
    worst = max(
        (
            seconds
            for at, seconds in enumerate(before)
            if slow_epoch(at + 1, seconds, before[:at], device, 0.0, 1) is not None
        ),
        default=None,
    )
    return worst is None or found.seconds > SLOW_FACTOR * worst


def slow(found: SlowEpoch) -> AlertRaised:
    return AlertRaised(
        alert=f"slow_epoch-{found.epoch}",
        cause="slow_epoch",
        level="notice",
        message=f"slow epoch {found.epoch}: {found.seconds:.1f} s, usually {found.median:.1f} s",
        fix=found.cause,
        epoch=found.epoch,
        value=found.seconds,
    )


def collapsed(epoch: int, outputs_alike: float, targets_alike: float) -> AlertRaised:
    return AlertRaised(
        alert=f"collapse-{epoch}",
        cause="collapse",
        level="alarm",
        message=(
            f"COLLAPSED  all outputs are alike: mean pairwise cosine {outputs_alike:.3f}, "
            f"of the targets {targets_alike:.3f}"
        ),
        fix=_COLLAPSE_FIX,
        epoch=epoch,
        value=outputs_alike,
    )


def device_fallback(warning: str) -> AlertRaised:
    return AlertRaised(
        alert="device_fallback-0", cause="device_fallback", level="caution", message=warning
    )


def nothing_beyond() -> AlertRaised:
    return AlertRaised(
        alert="nothing_beyond-0",
        cause="nothing_beyond",
        level="notice",
        message=(
            "no training sequence says which chunk follows its target: the objective pushes away "
            "the contexts only, not the chunks at k=+2 and k=+3"
        ),
        fix="train from a bank, or from overlapping windows, to push those away as well",
    )


def out_of_memory(halved: BatchHalved) -> AlertRaised:
    return AlertRaised(
        alert=f"out_of_memory-{halved.step}-{halved.micro_batch}",
        cause="out_of_memory",
        level="notice",
        message=(
            f"out of memory at step {halved.step}: now {halved.micro_batch} rows a forward pass, "
            f"gradients accumulated over {halved.accumulate}"
        ),
        fix="the effective batch is unchanged; a smaller micro_batch avoids the retry",
        value=float(halved.micro_batch),
    )


def fivecat_failed(epoch: int, error: Exception) -> AlertRaised:
    return AlertRaised(
        alert=f"fivecat_failed-{epoch}",
        cause="fivecat_failed",
        level="alarm",
        message=f"5CAT FAILED  {str(error).splitlines()[0]}",
        fix="the direction of this model is unknown until it runs",
        epoch=epoch,
    )


def counts_against_production(alert: dict[str, Any]) -> bool:
    """Whether an alert of the run's history is a backward-bias alert (spec/fivecat.md, "Ready")."""
    return alert["cause"] == "backward_bias" and alert["level"] in ("severe", "alarm")
