"""What the data screen shows: the data of the run at hand, or a file that was diagnosed; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lvm_tui.state.outlook import BesideRidge, Point, beside_ridge, point_of
from lvm_tui.state.views import Data, Forecast, Frame, RunView, Task

MOST_MODELS = 8
"""Trained models that are shown beside the baselines: the newest."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that was trained on the data that is shown, by its best 5CAT."""

    model: str
    run: str
    val: Point
    ood: Point | None
    gates: int | None
    """Passed."""
    ready: bool
    beside: BesideRidge | None
    trains: bool = False

    @property
    def sign(self) -> str:
        """Its letter on the chart."""
        return self.model[:1].upper() or "?"


@dataclass(frozen=True, slots=True)
class LookedAt:
    data: Data
    forecast: Forecast | None = None
    models: tuple[TrainedModel, ...] = ()
    """The newest first."""
    file: str = ""
    """The file that was diagnosed; "": it is the data of a run."""


def worth_telling(tasks: Sequence[Task], shown: LookedAt | None) -> tuple[Task, ...]:
    """What goes on or went wrong; what is done only until there is data to look at, in one line."""
    open_ = tuple(task for task in tasks if task.state != "done")
    return open_ if shown is not None or open_ else tuple(tasks[-1:])


def at_hand(frame: Frame) -> LookedAt | None:
    """Of the run at hand, else of the last one that has loaded any; None before that."""
    runs = [run for run in (*frame.finished, frame.run) if run is not None and run.data is not None]
    if not runs:
        return None
    shown = runs[-1]
    assert shown.data is not None
    same = [run for run in runs if run.data is not None and _same(run.data, shown.data)]
    forecast = shown.forecast or next(
        (run.forecast for run in reversed(same) if run.forecast is not None), None
    )
    return LookedAt(shown.data, forecast, _models(reversed(same), forecast))


def diagnosed(file: str, document: Mapping[str, Any]) -> LookedAt:
    """A file by the document of `lvm diagnose --json`."""
    quality = document.get("quality")
    quality = quality if isinstance(quality, dict) else {}
    aligned, forecast = document.get("alignment"), document.get("forecast")
    data = Data(
        source=file,
        samples={},
        articles=0,
        quality=quality,
        alignment={"file": aligned} if isinstance(aligned, dict) else {},
        passed=bool(quality.get("passed")),
        overridden=False,
    )
    if isinstance(forecast, dict):
        made = Forecast(forecast, float(forecast.get("seconds") or 0.0))
    else:
        made = Forecast({}, note="a file of sequences has no VAL and OOD; diagnose a bank for one")
    return LookedAt(data, made, file=file)


def _same(one: Data, other: Data) -> bool:
    """As far as a log tells: the fingerprint of the data is in run.json only."""
    return (one.source, one.samples, one.dim, one.articles) == (
        other.source,
        other.samples,
        other.dim,
        other.articles,
    )


def _models(runs: Iterable[RunView], forecast: Forecast | None) -> tuple[TrainedModel, ...]:
    found = []
    for run in runs:
        best = run.best_fivecat or run.fivecat
        val = point_of(best.result) if best is not None else None
        if best is None or val is None:
            continue
        passed = best.result.get("passed")
        found.append(
            TrainedModel(
                run.model,
                run.run,
                val,
                point_of({"VAL": best.result.get("OOD")}),
                passed if isinstance(passed, int) else None,
                bool(best.result.get("ready")) and not run.bias_alerts,
                beside_ridge(forecast, best.result),
                run.phase != "finished",
            )
        )
    return tuple(found[:MOST_MODELS])
