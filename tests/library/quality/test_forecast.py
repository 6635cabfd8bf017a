"""The forecast: baselines, frontier and verdicts, on corpora whose answer is known."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from lvm.errors import DataError
from lvm.fivecat.battery import run_battery
from lvm.quality.forecast import forecast, render_forecast
from lvm.settings import IN_TRAINING, Thresholds

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


@pytest.fixture(name="turning", scope="module")
def _turning(corpora):
    return _splits(corpora, corpora.turning_articles)


@pytest.fixture(name="walking", scope="module")
def _walking(corpora):
    return _splits(corpora, corpora.walking_articles)


@pytest.fixture(name="found_walking", scope="module")
def _found_walking(walking):
    return forecast(*walking, NEEDS, clock=StoppedClock())


@pytest.fixture(name="found_turning", scope="module")
def _found_turning(turning):
    return forecast(*turning, NEEDS, clock=StoppedClock())


def test_true_forward_dynamics_put_the_offset_gate_within_reach(found_turning):
    found = found_turning
    assert found.gates["offset"].answer == "within reach"
    ridge = found.baselines["ridge"].numbers["VAL"]
    assert ridge["margin"] > 0.12
    assert found.baselines["copy_last"].numbers["VAL"]["margin"] < -0.3


def test_a_random_walk_puts_the_margin_out_of_reach(found_walking):
    found = found_walking
    verdict = found.gates["offset"]
    assert verdict.answer == "out of reach"
    assert verdict.best < 0.05
    assert verdict.short_by == pytest.approx(verdict.need - verdict.best)
    assert found.frontier[0].cos("VAL") >= found.baselines["ridge"].numbers["VAL"]["cos"] - 0.005


def test_the_frontier_falls_in_cosine_and_rises_in_margin(found_walking):
    points = found_walking.to_json()["frontier"]

    assert len(points) >= 5
    assert [p["cos"] for p in points] == sorted((p["cos"] for p in points), reverse=True)
    assert [p["margin"] for p in points] == sorted(p["margin"] for p in points)
    assert all(0.0 <= p["lambda"] <= 1.0 for p in points)


def test_a_forecast_holds_for_a_split_whose_samples_it_never_saw(found_walking):
    """Honest: fitted on TRAIN, the frontier's VAL numbers are those of any other split."""
    for point in found_walking.frontier:
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
        "leave_one_out": 0.0,
        "repeat_last": 0.0,
        "cross_article": 0.0,
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
    assert 3 < len(measured) <= 3 + 3  # the baselines, and a few points of the frontier
    assert found.baselines["mean"].numbers["VAL"]["r1"] == 0.2
    assert found.baselines["mean"].gates == {
        "offset": False,
        "retrieval": False,
        "ablations": False,
        "rollout": False,
        "bins": True,
    }


def test_the_numbers_of_the_tables_are_those_of_5cat_itself(walking, found_walking):
    train, val, ood = walking

    def measure(model):
        return run_battery(model, val, ood, IN_TRAINING, NEEDS).to_json()

    tested = forecast(train, val, ood, NEEDS, measure=measure)

    for name, baseline in found_walking.baselines.items():
        for split in ("VAL", "OOD"):
            expected = tested.baselines[name].numbers[split]
            assert baseline.numbers[split]["cos"] == pytest.approx(expected["cos"], abs=1e-5)
            assert baseline.numbers[split]["margin"] == pytest.approx(expected["margin"], abs=1e-5)
    assert [name for name, verdict in tested.gates.items() if verdict.best is None] == [
        "bins"  # no sample of this corpus lies in the normal bin
    ]


def test_without_5cat_the_other_gates_are_unknown_and_say_why(found_walking):
    gates = found_walking.gates
    assert {gates[name].words for name in ("retrieval", "ablations", "rollout", "bins")} == {
        "not measured"
    }


def test_the_json_is_strict_and_complete(found_turning):
    document = json.loads(json.dumps(found_turning.to_json(), allow_nan=False))

    assert list(document) == ["baselines", "frontier", "gates", "samples", "seconds"]
    assert list(document["baselines"]) == ["copy_last", "mean", "ridge"]
    assert list(document["baselines"]["ridge"]) == ["VAL", "OOD", "alpha"]
    assert list(document["gates"]) == ["offset", "retrieval", "ablations", "rollout", "bins"]
    assert list(document["gates"]["offset"]) == ["verdict", "best", "need", "short_by", "words"]
    assert document["seconds"] == 7.0
    assert document["samples"] == {"fit": 1080, "tune": 120, "VAL": 260, "OOD": 260}


def test_the_same_seed_gives_the_same_forecast(walking, found_walking):
    again = forecast(*walking, NEEDS, seed=0, clock=StoppedClock())
    assert again.to_json() == found_walking.to_json()


def test_a_split_whose_articles_are_too_short_is_an_error(walking, corpora):
    train, val, _ = walking
    short = corpora.samples_of(*corpora.walking_articles(articles=20, length=6), name="OOD")
    with pytest.raises(DataError, match="none of the 20 OOD samples has two chunks after"):
        forecast(train, val, short, NEEDS)


def test_vectors_that_are_not_numbers_are_an_error_not_a_hang(walking):
    train, val, ood = walking
    vectors = train.vectors.copy()
    vectors[3, 2] = np.nan
    train = replace(train, vectors=vectors)
    with pytest.raises(DataError, match="NaN or infinite"):
        forecast(train, val, ood, NEEDS)


def test_the_rendering_fits_80_columns_and_names_every_gate(found_walking):
    lines = render_forecast(found_walking)

    assert max(len(line) for line in lines) <= 80
    assert any(line.startswith("  ✗ offset     out of reach") for line in lines)
    assert any(line.startswith("  ? rollout    unknown") for line in lines)
    assert "forecast, before any training (7 s)" in lines


def test_importing_the_forecast_does_not_import_torch():
    code = "import sys, lvm.quality.forecast; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
