"""The forecast: baselines, frontier and verdicts, on corpora whose answer is known."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from lvm.errors import DataError
from lvm.quality.forecast import forecast, render_forecast
from lvm.settings import Thresholds

NEEDS = Thresholds()


class StoppedClock:
    """Says 7 seconds later each time it is asked."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return 0.0

    def monotonic(self):
        self.time += 7.0
        return self.time

    def sleep(self, seconds):
        raise AssertionError("a forecast does not sleep")


def _splits(corpora, maker, **options):
    return (
        corpora.windows_of(*maker(articles=80, seed=1, **options)),
        corpora.samples_of(*maker(articles=20, seed=2, **options), name="VAL"),
        corpora.samples_of(*maker(articles=20, seed=3, **options), name="OOD"),
    )


@pytest.fixture(name="turning")
def _turning(corpora):
    return _splits(corpora, corpora.turning_articles)


@pytest.fixture(name="walking")
def _walking(corpora):
    return _splits(corpora, corpora.walking_articles)


def test_true_forward_dynamics_put_the_offset_gate_within_reach(turning):
    found = forecast(*turning, NEEDS)

    assert found.gates["offset"].answer == "within reach"
    ridge = found.baselines["ridge"].numbers["VAL"]
    assert ridge["margin"] > 0.12
    assert found.baselines["copy_last"].numbers["VAL"]["margin"] < -0.3


def test_a_random_walk_puts_the_margin_out_of_reach(walking):
    found = forecast(*walking, NEEDS)

    verdict = found.gates["offset"]
    assert verdict.answer == "out of reach"
    assert verdict.best < 0.05
    assert verdict.short_by == pytest.approx(verdict.need - verdict.best)
    assert found.frontier[0].cos("VAL") >= found.baselines["ridge"].numbers["VAL"]["cos"] - 0.005


def test_the_frontier_falls_in_cosine_and_rises_in_margin(walking):
    points = forecast(*walking, NEEDS).to_json()["frontier"]

    assert len(points) >= 5
    assert [p["cos"] for p in points] == sorted((p["cos"] for p in points), reverse=True)
    assert [p["margin"] for p in points] == sorted(p["margin"] for p in points)
    assert all(0.0 <= p["lambda"] <= 1.0 for p in points)


def test_a_forecast_holds_for_a_split_whose_samples_it_never_saw(walking, corpora):
    """Honest: fitted on TRAIN, the frontier's VAL numbers are those of any other split."""
    found = forecast(*walking, NEEDS)
    for point in found.frontier:
        assert point.cos("VAL") == pytest.approx(point.cos("OOD"), abs=0.03)
        assert point.margin("VAL") == pytest.approx(point.margin("OOD"), abs=0.03)


def _document(model, samples):
    """As 5CAT would write it: a real mean cosine to the target, the rest made up."""
    contexts = torch.from_numpy(samples.context_vectors[samples.contexts])
    with torch.no_grad():
        predicted = model(contexts).numpy()
    cosine = float((predicted * samples.vectors[samples.target_rows]).sum(axis=1).mean())
    split = {
        "cos": {str(k): 0.1 for k in range(-3, 4)} | {"1": cosine},
        "margin": 0.01,
        "r1": 0.2,
        "r5": 0.5,
        "mrr": 0.3,
        "shuffled": -0.01,
        "reversed": -0.02,
        "rollout": 0.4,
    }
    checks = [
        {"gate": "retrieval", "name": "R@1", "split": "VAL", "value": 0.2, "need": 0.6, "op": ">="},
        {"gate": "rollout", "name": "cos", "split": "VAL", "value": 0.4, "need": 0.45, "op": ">="},
        {"gate": "bins", "name": "diff", "split": "VAL", "value": 0.01, "need": 0.05, "op": "<="},
        {"gate": "ablations", "name": "x", "split": "VAL", "value": 0.4, "need": -0.1, "op": "<="},
    ]
    gates = {"offset": False, "retrieval": False, "ablations": False, "rollout": False}
    return {"VAL": split, "OOD": split, "gates": gates | {"bins": True}, "checks": checks}


def test_with_5cat_every_gate_gets_a_verdict(walking):
    _, val, _ = walking
    measured = []

    def measure(model):
        measured.append(model)
        return _document(model, val)

    found = forecast(*walking, NEEDS, measure=measure)

    assert {name: verdict.answer for name, verdict in found.gates.items()} == {
        "offset": "out of reach",
        "retrieval": "out of reach",
        "ablations": "unknown",
        "rollout": "unknown",
        "bins": "within reach",
    }
    assert 3 < len(measured) <= 3 + 4  # the baselines, and a few points of the frontier
    assert found.baselines["mean"].numbers["VAL"]["r1"] == 0.2
    assert found.baselines["mean"].gates == {
        "offset": False,
        "retrieval": False,
        "ablations": False,
        "rollout": False,
        "bins": True,
    }


def test_the_cosines_of_the_tables_are_those_of_the_models_that_5cat_gets(walking):
    _, val, _ = walking
    plain = forecast(*walking, NEEDS)
    tested = forecast(*walking, NEEDS, measure=lambda model: _document(model, val))

    for name, baseline in plain.baselines.items():
        expected = tested.baselines[name].numbers["VAL"]["cos"]
        assert baseline.numbers["VAL"]["cos"] == pytest.approx(expected, abs=1e-5)


def test_without_5cat_the_other_gates_are_unknown_and_say_why(walking):
    found = forecast(*walking, NEEDS)
    assert {found.gates[name].words for name in ("retrieval", "ablations", "rollout", "bins")} == {
        "not measured"
    }


def test_the_json_is_strict_and_complete(turning):
    found = forecast(*turning, NEEDS, clock=StoppedClock())
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))

    assert list(document) == ["baselines", "frontier", "gates", "samples", "seconds"]
    assert list(document["baselines"]) == ["copy_last", "mean", "ridge"]
    assert list(document["baselines"]["ridge"]) == ["VAL", "OOD", "alpha"]
    assert list(document["gates"]) == ["offset", "retrieval", "ablations", "rollout", "bins"]
    assert list(document["gates"]["offset"]) == ["verdict", "best", "need", "short_by", "words"]
    assert document["seconds"] == 7.0
    assert document["samples"] == {"fit": 1080, "tune": 120, "VAL": 300, "OOD": 300}


def test_the_same_seed_gives_the_same_forecast(walking):
    first, again = (forecast(*walking, NEEDS, seed=1, clock=StoppedClock()) for _ in range(2))
    assert first.to_json() == again.to_json()


def test_no_samples_in_a_split_is_an_error(walking, corpora):
    train, val, _ = walking
    empty = corpora.samples_of(*corpora.walking_articles(articles=1, length=5), name="OOD")
    with pytest.raises(DataError, match="no OOD samples"):
        forecast(train, val, empty, NEEDS)


def test_vectors_that_are_not_numbers_are_an_error_not_a_hang(walking):
    train, val, ood = walking
    train.vectors[3, 2] = np.nan
    with pytest.raises(DataError, match="NaN or infinite"):
        forecast(train, val, ood, NEEDS)


def test_the_rendering_fits_80_columns_and_names_every_gate(walking):
    lines = render_forecast(forecast(*walking, NEEDS, clock=StoppedClock()))

    assert max(len(line) for line in lines) <= 80
    assert any(line.startswith("  ✗ offset     out of reach") for line in lines)
    assert any(line.startswith("  ? rollout    unknown") for line in lines)
    assert "forecast, before any training (7 s)" in lines


def test_importing_the_forecast_does_not_import_torch():
    code = "import sys, lvm.quality.forecast; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
