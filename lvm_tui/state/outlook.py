"""What a run's forecast says, and how its model stands beside the baselines; pure.

The documents come from a log, of this version or another: what is not there is None, not an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lvm_tui.numbers import fixed, signed
from lvm_tui.state.views import Forecast, RunView

BASELINES = {"copy_last": "copy last", "mean": "mean", "ridge": "ridge"}
"""In the order of the tables, with their names for people."""

GATES = ("offset", "retrieval", "ablations", "rollout", "bins")

SIGNS: Mapping[str, bool | None] = {"within reach": True, "out of reach": False}
"""Of each verdict, for ✓ and ✗; any other is ?."""


@dataclass(frozen=True, slots=True)
class GateForecast:
    """What can be reached of one gate."""

    gate: str
    verdict: str
    """within reach | out of reach | unknown"""
    short_by: float | None
    """How far the best that was seen is from the need; None when it is reached."""
    words: str

    @property
    def reachable(self) -> bool | None:
        """None: unknown."""
        return SIGNS.get(self.verdict)


@dataclass(frozen=True, slots=True)
class Point:
    """A predictor in the plane of cosine at k = +1 and margin, on VAL."""

    cos: float
    margin: float


@dataclass(frozen=True, slots=True)
class BesideRidge:
    """A model's VAL cosine beside that of ridge."""

    cos: float
    ridge: float

    @property
    def beats(self) -> bool:
        return self.cos > self.ridge

    @property
    def words(self) -> str:
        """`beats ridge on VAL cosine: 0.612, ridge 0.605`"""
        verb = "beats" if self.beats else "does not beat"
        return f"{verb} ridge on VAL cosine: {fixed(self.cos)}, ridge {fixed(self.ridge)}"

    @property
    def short_words(self) -> str:
        """`beats ridge +0.007`, `below ridge −0.034`"""
        verb = "beats ridge" if self.beats else "below ridge"
        return f"{verb} {signed(self.cos - self.ridge)}"


def baseline(forecast: Forecast | None, name: str, split: str, key: str) -> float | None:
    """A number of a baseline: "cos" (at k = +1), "margin", "r1", "rollout", …"""
    return _number(_within(forecast, "baselines", name, split, key))


def gates_passed(forecast: Forecast | None, name: str) -> int | None:
    """How many of the five gates a baseline passes."""
    found = _within(forecast, "baselines", name, "passed")
    return found if isinstance(found, int) else None


def gate_forecasts(forecast: Forecast | None) -> tuple[GateForecast, ...]:
    """Of all five gates, as far as they were forecast."""
    found = []
    for gate in GATES:
        each = _within(forecast, "gates", gate)
        if isinstance(each, dict):
            verdict = str(each.get("verdict") or "unknown")
            words = str(each.get("words") or "")
            found.append(GateForecast(gate, verdict, _number(each.get("short_by")), words))
    return tuple(found)


def frontier(forecast: Forecast | None) -> tuple[Point, ...]:
    """What linear predictors can trade on VAL, the highest cosine first."""
    points = _within(forecast, "frontier")
    read = [_point(each) for each in points] if isinstance(points, list) else []
    return tuple(point for point in read if point is not None)


def baseline_points(forecast: Forecast | None) -> dict[str, Point]:
    """Name for people → where the baseline lies."""
    found = {}
    for name, words in BASELINES.items():
        point = _point(_within(forecast, "baselines", name, "VAL"))
        if point is not None:
            found[words] = point
    return found


def arrow(forecast: Forecast | None) -> str:
    """What is said of the arrow of time; "" where nobody looked."""
    return str(_within(forecast, "arrow", "words") or "")


def point_of(result: Mapping[str, Any]) -> Point | None:
    """Where a model lies, by its 5CAT document."""
    val = result.get("VAL")
    if not isinstance(val, dict):
        return None
    cosines = val.get("cos")
    return _point(
        {
            "cos": cosines.get("1") if isinstance(cosines, dict) else None,
            "margin": val.get("margin"),
        }
    )


def beside_ridge(forecast: Forecast | None, result: Mapping[str, Any]) -> BesideRidge | None:
    """A model by its 5CAT document; None while one of the two was not measured."""
    model = point_of(result)
    ridge = baseline(forecast, "ridge", "VAL", "cos")
    if model is None or ridge is None:
        return None
    return BesideRidge(model.cos, ridge)


def run_beside_ridge(run: RunView) -> BesideRidge | None:
    """The run's best 5CAT beside ridge."""
    best = run.best_fivecat or run.fivecat
    return beside_ridge(run.forecast, best.result) if best is not None else None


def _within(forecast: Forecast | None, *names: str) -> Any:
    found: Any = forecast.document if forecast is not None else None
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _point(document: Any) -> Point | None:
    if not isinstance(document, dict):
        return None
    cos, margin = _number(document.get("cos")), _number(document.get("margin"))
    return Point(cos, margin) if cos is not None and margin is not None else None


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return float(value) if is_number else None  # type: ignore[arg-type]
