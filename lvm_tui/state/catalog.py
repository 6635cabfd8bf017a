"""All runs of a project as a list: searched, sorted, compared; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lvm.runs.folder import RunSummary, best_entries

MOST = 6
"""Runs that are compared at once: as many as there are lines to tell apart."""

SORTS = ("newest", "score", "margin", "val cosine", "name")

METRICS = {"val_loss": "val loss", "val_cosine": "val cosine", "val_margin": "VAL margin"}
"""Curves that are laid over one another, with their titles."""


@dataclass(frozen=True, slots=True)
class Details:
    """What is compared of one run."""

    summary: RunSummary
    settings: dict[str, Any] = field(default_factory=dict)
    """All settings of its job; those of the data begin with "data."."""
    history: tuple[dict[str, Any], ...] = ()
    """training_history.json."""
    trouble: str = ""
    """What of it could not be read."""

    @property
    def result(self) -> dict[str, Any]:
        """The 5CAT document of its best score; {} before the first."""
        best = best_entries(list(self.history))[1]
        found = (best or {}).get("5cat")
        return found if isinstance(found, dict) else {}

    def curve(self, metric: str) -> tuple[tuple[float, float], ...]:
        """(epoch, value) wherever it was measured."""
        return tuple(
            (float(entry["epoch"]), float(entry[metric]))
            for entry in self.history
            if isinstance(entry.get(metric), int | float) and "epoch" in entry
        )


def flat_settings(job: dict[str, Any]) -> dict[str, Any]:
    """The job of run.json as one list of names."""
    train, data = job.get("train") or {}, job.get("data") or {}
    return {**train, **{f"data.{name}": value for name, value in data.items()}}


def found(runs: Iterable[RunSummary], words: str) -> list[RunSummary]:
    """Runs that have every word in their name, model, or state."""
    wanted = words.lower().split()
    return [
        run
        for run in runs
        if all(word in f"{run.name} {run.model} {run.state}".lower() for word in wanted)
    ]


def in_order(runs: Iterable[RunSummary], sort: str) -> list[RunSummary]:
    """Best or newest first, by name from a to z; what was not measured comes last."""
    newest = sorted(runs, key=lambda run: (run.started or 0.0, run.name), reverse=True)
    if sort == "newest":
        return newest
    if sort == "name":
        return sorted(newest, key=lambda run: run.name)
    value = _VALUES[sort]
    known = [run for run in newest if value(run) is not None]
    known.sort(key=lambda run: value(run) or 0.0, reverse=True)
    return known + [run for run in newest if value(run) is None]


_VALUES: dict[str, Callable[[RunSummary], float | None]] = {
    "score": lambda run: run.score,
    "margin": lambda run: run.val_margin,
    "val cosine": lambda run: run.best_val_cosine,
}


def titles(runs: Sequence[Details]) -> list[str]:
    """What to call each run beside the others: its model, and when it began if another has it."""
    models = [run.summary.model or run.summary.name for run in runs]
    stamps = [run.summary.name.rpartition("_")[2] for run in runs]
    return [
        f"{model} {stamp[:2]}:{stamp[2:4]}:{stamp[4:]}"
        if models.count(model) > 1 and len(stamp) == 6 and stamp.isdigit()
        else model
        for model, stamp in zip(models, stamps, strict=True)
    ]


def differing(runs: Sequence[Details]) -> dict[str, list[Any]]:
    """Setting → its value in each run, where they are not all the same."""
    names = dict.fromkeys(name for run in runs for name in run.settings)
    values = {name: [run.settings.get(name) for run in runs] for name in names}
    return {name: each for name, each in values.items() if any(v != each[0] for v in each)}
