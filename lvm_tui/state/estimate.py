"""How long jobs will take, from what runs of the same model were measured to take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lvm.settings import TrainSettings
from lvm_tui.state.stranding import BEGUN
from lvm_tui.state.views import Frame, JobRow, RunView


@dataclass(frozen=True, slots=True)
class Pace:
    """What one model was measured to take."""

    epoch_seconds: float
    """Median of the epochs of its newest run that has any."""
    fivecat_seconds: float
    """Its last battery; 0 where none ran."""
    run: str
    """Where it was measured."""

    def seconds(self, settings: TrainSettings, done: int = 0) -> float:
        """For the epochs after `done`, and their batteries."""
        left = range(done + 1, settings.epochs + 1)
        every = settings.fivecat_every
        batteries = sum(1 for n in left if n == settings.epochs or n % every == 0)
        return len(left) * self.epoch_seconds + batteries * self.fivecat_seconds


def paces(runs: Iterable[RunView]) -> dict[str, Pace]:
    """Of each model that has finished an epoch; a later run replaces an earlier one."""
    found: dict[str, tuple[float, Pace]] = {}
    for run in runs:
        if not run.history:
            continue
        seconds = sorted(epoch.seconds for epoch in run.history)
        pace = Pace(seconds[len(seconds) // 2], run.fivecat_seconds, run.run)
        if run.model not in found or run.time >= found[run.model][0]:
            found[run.model] = (run.time, pace)
    return {model: pace for model, (_, pace) in found.items()}


def runs_of(frame: Frame) -> dict[str, RunView]:
    """All runs that the frame knows, by name."""
    runs = {run.run: run for run in frame.finished}
    if frame.run is not None:
        runs[frame.run.run] = frame.run
    return runs


def seconds_left(row: JobRow, run: RunView | None, known: dict[str, Pace]) -> float | None:
    """What an unfinished job will still take; None where nothing was measured."""
    if row.state in BEGUN and run is not None:
        return run.seconds_left
    if row.state != "queued" or row.job is None or row.model not in known:
        return None
    done = len(run.history) if run is not None else 0
    return known[row.model].seconds(row.job.train, done)


def seconds_taken(row: JobRow, run: RunView | None) -> float | None:
    """What an ended job took: trained time where its run says so."""
    if run is not None and run.outcome is not None:
        return run.outcome.seconds
    if row.started is not None and row.finished is not None:
        return row.finished - row.started
    return None
