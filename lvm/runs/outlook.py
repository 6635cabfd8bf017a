"""What the data allows, before any training: the forecast of `lvm diagnose`, and of every run.

A run keeps it under the fingerprint of its data, so that four queued models make it once. It is
made from samples (`lvm.quality.forecast`): some 25 s for vectors of 768 numbers on one core,
however large the data is, and given up after LIMIT. Its failure is told and stops nothing.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lvm.clock import Clock
from lvm.errors import DiskError, in_words
from lvm.events import ForecastMade
from lvm.files import write_json
from lvm.settings import IN_TRAINING, Thresholds

if TYPE_CHECKING:
    from torch import nn

    from lvm.data.progress import Progress
    from lvm.data.sources import Corpus
    from lvm.quality.arrow import ArrowReport
    from lvm.quality.forecast import Forecast

LIMIT = 120.0
"""Seconds after which a run begins without a forecast."""

ARROW_SAMPLES = 8_000
"""Of the arrow of time: half a second; 20,000 give the same figure within its noise."""

_VERSION = 2
"""Rises when a kept forecast is no longer what would be made today."""


class MakeForecast(Protocol):
    """`outlook_document`, or what stands for it."""

    def __call__(
        self, corpus: Corpus, thresholds: Thresholds, *, progress: Progress
    ) -> dict[str, Any]: ...


def make_forecast(
    corpus: Corpus, thresholds: Thresholds, *, seed: int = 0, progress: Progress
) -> Forecast:
    """Baselines measured by 5CAT itself, in the short form that runs in training."""
    import torch

    from lvm.fivecat.battery import run_battery
    from lvm.quality.forecast import forecast

    def measure(model: nn.Module) -> dict[str, Any]:
        found = run_battery(
            model,
            corpus.val_samples,
            corpus.ood_samples,
            IN_TRAINING.changed(seed=seed),
            thresholds,
            torch.device("cpu"),
            progress=lambda step: progress(f"5CAT {step.split} {step.test}", step.done, step.total),
        )
        return found.to_json()

    return forecast(
        corpus.train,
        corpus.val_samples,
        corpus.ood_samples,
        thresholds,
        measure=measure,
        seed=seed,
        progress=progress,
    )


def probe(corpus: Corpus, *, seed: int = 0) -> ArrowReport:
    """The arrow of time in the training split."""
    from lvm.quality.arrow import probe_arrow

    return probe_arrow(corpus.train, seed=seed, max_samples=ARROW_SAMPLES)


def outlook_document(
    corpus: Corpus, thresholds: Thresholds, *, progress: Progress
) -> dict[str, Any]:
    """All of it as the JSON document that `lvm diagnose` gives with the same seed."""
    made = make_forecast(corpus, thresholds, progress=progress)
    return as_document(made, probe(corpus), thresholds)


def as_document(made: Forecast, arrow: ArrowReport, thresholds: Thresholds) -> dict[str, Any]:
    """The forecast, the thresholds that judged it, and the arrow of time."""
    return {**made.to_json(), "thresholds": thresholds.to_json(), "arrow": arrow.to_json()}


def kept_forecast(folder: Path, corpus: Any, thresholds: Thresholds) -> ForecastMade | None:
    """What an earlier run made for the same data and thresholds; None if there is none that can
    be read. corpus: a lvm.data.sources.Corpus."""
    try:
        document = json.loads(_place(folder, corpus, thresholds).read_bytes())
    except (OSError, ValueError):
        return None
    return ForecastMade(document, cached=True) if isinstance(document, dict) and document else None


def new_forecast(
    folder: Path,
    corpus: Corpus,
    thresholds: Thresholds,
    make: MakeForecast,
    *,
    clock: Clock,
    progress: Progress,
) -> ForecastMade:
    """Make it and keep it in `folder`. What fails is said in its note; only what `progress` raises
    is raised (somebody ended the run, another runner has the lease)."""
    begun = clock.monotonic()
    watch = _Watch(progress, clock, begun + LIMIT)
    try:
        document = make(corpus, thresholds, progress=watch)
    except Exception as error:
        if watch.raised is error:
            raise
        seconds = clock.monotonic() - begun
        return ForecastMade({}, seconds, note=_words(error))
    seconds = clock.monotonic() - begun
    try:
        place = _place(folder, corpus, thresholds)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_json(place, document)
    except (OSError, DiskError) as error:
        return ForecastMade(document, seconds, note=f"could not be kept: {_words(error)}")
    return ForecastMade(document, seconds)


class _TooLong(Exception):
    """The limit is reached."""


class _Watch:
    """Passes progress on; remembers what that raised, and ends the work at its deadline."""

    def __init__(self, progress: Progress, clock: Clock, deadline: float) -> None:
        self._progress, self._clock, self._deadline = progress, clock, deadline
        self.raised: BaseException | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        try:
            self._progress(what, done, total)
        except BaseException as error:
            self.raised = error
            raise
        if self._clock.monotonic() > self._deadline:
            raise _TooLong


def _place(folder: Path, corpus: Any, thresholds: Thresholds) -> Path:
    what = [_VERSION, corpus.fingerprint, thresholds.to_json()]
    return folder / f"{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]}.json"


def _words(error: Exception) -> str:
    if isinstance(error, _TooLong):
        return f"given up after {LIMIT:.0f} s; lvm diagnose takes its time"
    return in_words(error)
