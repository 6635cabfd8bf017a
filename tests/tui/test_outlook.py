"""What a forecast says, read from whatever a log holds."""

from __future__ import annotations

from typing import Any

import pytest

from lvm.events import ForecastMade
from lvm_tui.state import outlook
from lvm_tui.state.fold import fold_all
from lvm_tui.state.views import Forecast, RunView

from .documents import battery, forecast_document
from .scripted import Plan, Script, forecast, whole_run

MADE = Forecast(forecast_document(), 12.4)


def test_the_forecast_is_folded_into_the_view_of_its_run() -> None:
    script = Script()
    forecast(script)
    view = fold_all(RunView(), script.records)
    assert view.forecast == MADE
    assert view.log[-1].text == (
        "forecast (12 s): 2 of 5 gates within reach · out of reach: offset"
    )


def test_a_forecast_that_failed_says_why() -> None:
    script = Script()
    script.add(ForecastMade({}, 1.0, note="too few samples"))
    view = fold_all(RunView(), script.records)
    assert view.forecast == Forecast({}, 1.0, note="too few samples")
    assert (view.log[-1].level, view.log[-1].text) == ("notice", "no forecast: too few samples")


def test_gates_come_in_their_order_with_how_far_they_are() -> None:
    offset, retrieval, ablations, _, bins = outlook.gate_forecasts(MADE)
    assert (offset.gate, offset.reachable, offset.short_by) == ("offset", False, 0.182)
    assert (retrieval.reachable, retrieval.short_by) == (True, None)
    assert (ablations.reachable, ablations.short_by) == (None, 0.021)
    assert bins.words == "not measured"


def test_baselines_and_the_frontier_are_points_in_the_plane_of_cosine_and_margin() -> None:
    assert outlook.baseline(MADE, "ridge", "OOD", "cos") == pytest.approx(0.595)
    assert outlook.gates_passed(MADE, "ridge") == 2
    assert outlook.baseline_points(MADE)["copy last"] == outlook.Point(0.55, -0.45)
    cosines = [point.cos for point in outlook.frontier(MADE)]
    assert cosines == sorted(cosines, reverse=True)
    assert outlook.arrow(MADE).startswith("a weak arrow of time")


def test_a_model_stands_beside_ridge() -> None:
    beside = outlook.beside_ridge(MADE, battery(0.1))
    assert beside is not None
    assert not beside.beats
    assert beside.words == "does not beat ridge on VAL cosine: 0.560, ridge 0.605"
    assert beside.short_words == "below ridge −0.045"
    better = outlook.BesideRidge(0.612, 0.605)
    assert better.words == "beats ridge on VAL cosine: 0.612, ridge 0.605"
    assert better.short_words == "beats ridge +0.007"


def test_a_run_is_judged_by_its_best_5cat() -> None:
    script = Script()
    whole_run(script, Plan(epochs=5, batches=2))
    view = fold_all(RunView(), script.records)
    assert outlook.run_beside_ridge(view) is None  # no forecast
    forecast(script)
    view = fold_all(RunView(), script.records)
    beside = outlook.run_beside_ridge(view)
    assert beside is not None
    assert beside.cos == 0.56


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"baselines": None, "gates": [], "frontier": {}, "arrow": 3},
        {"baselines": {"ridge": {"VAL": {"cos": "high", "margin": None}}}},
        {"frontier": [None, 3, {"cos": 0.5}], "gates": {"offset": 7}},
    ],
)
def test_a_document_of_another_making_is_no_error(document: dict[str, Any]) -> None:
    made = Forecast(document)
    assert outlook.baseline(made, "ridge", "VAL", "cos") is None
    assert outlook.gate_forecasts(made) == ()
    assert outlook.frontier(made) == ()
    assert outlook.baseline_points(made) == {}
    assert outlook.arrow(made) == ""
    assert outlook.beside_ridge(made, battery(0.1)) is None
    assert outlook.beside_ridge(MADE, {"VAL": {"cos": None}}) is None
    assert outlook.beside_ridge(None, battery(0.1)) is None
