"""The battery: all five tests on both splits, in batches, with progress, to be cancelled anywhere.

Between two yields nothing is held: the model is in its own mode, torch's grad and inference modes
are the caller's, and no global random state was touched.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from torch import nn

from lvm.clock import Clock, SystemClock
from lvm.data.samples import Samples
from lvm.errors import DataError
from lvm.fivecat import gates
from lvm.fivecat.measure import Measurement, plan
from lvm.fivecat.result import BatteryResult
from lvm.models.predict import Predictor
from lvm.settings import FivecatSettings, Thresholds

SPLITS = ("VAL", "OOD")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a battery is."""

    split: str
    """VAL | OOD."""
    test: str
    """offset | retrieval | ablations | rollout: what was just done."""
    done: int
    total: int
    """Rows that went through the model, over both splits."""


def iter_battery(
    model: nn.Module,
    val: Samples,
    ood: Samples,
    settings: FivecatSettings,
    thresholds: Thresholds,
    device: torch.device | str = "cpu",
    clock: Clock | None = None,
) -> Generator[Progress, None, BatteryResult]:
    """Measure `model`, any module that maps (n, 5, D) to unit vectors (n, D), on `device`.

    Yields after every forward pass; closing the generator cancels. Returns the result.
    Raises DataError when a split has no usable samples for a test or is not as wide as the model,
    RunError when the model predicts NaN.
    """
    clock = clock or SystemClock()
    begun = clock.monotonic()
    predict = Predictor(model, device, settings.batch_size)
    plans = []
    for number, (label, samples) in enumerate(zip(SPLITS, (val, ood), strict=True)):
        if predict.dim not in (None, samples.dim):
            raise DataError(
                f"vectors of {samples.dim} numbers, but the model reads {predict.dim}",
                where=label,
                fix="test a model on vectors of the encoder that it was trained with",
            )
        plans.append(plan(label, samples, settings, number))
    done, total = 0, sum(made.passes for made in plans)
    measurements = []
    for made in plans:
        measurement = Measurement(made)
        for test, rows in measurement.run(predict):
            done += rows
            yield Progress(made.label, test, done, total)
        measurements.append(measurement)
    found_val, found_ood = (measurement.numbers(thresholds) for measurement in measurements)
    return BatteryResult(
        settings=settings,
        thresholds=thresholds,
        samples={made.label: m.counts() for made, m in zip(plans, measurements, strict=True)},
        val=found_val,
        ood=found_ood,
        verdict=gates.judge(found_val, found_ood, thresholds),
        seconds=clock.monotonic() - begun,
    )


def run_battery(
    model: nn.Module,
    val: Samples,
    ood: Samples,
    settings: FivecatSettings,
    thresholds: Thresholds,
    device: torch.device | str = "cpu",
    progress: Callable[[Progress], object] | None = None,
    clock: Clock | None = None,
) -> BatteryResult:
    """`iter_battery` to its end; `progress` is called with every step. Raises what that raises."""
    running = iter_battery(model, val, ood, settings, thresholds, device, clock)
    while True:
        try:
            step = next(running)
        except StopIteration as end:
            result: BatteryResult = end.value
            return result
        if progress is not None:
            progress(step)
