"""Every number of the battery against the slow reference, to 1e-5."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lvm.fivecat.battery import run_battery
from lvm.fivecat.draws import draw_permutations, draw_samples
from lvm.models import MODEL_TYPES
from lvm.settings import FivecatSettings, Thresholds

from . import reference

LENGTHS = [6, 7, 8, 9, 11, 13]


def slow(model, samples, settings: FivecatSettings, split: int) -> dict[str, Any]:
    def predict(contexts):
        with torch.inference_mode():
            batch = torch.from_numpy(np.array(contexts, np.float32))[None]
            return model(batch)[0].double().numpy()

    drawn = draw_samples(len(samples), settings.max_samples, seed=settings.seed, split=split)
    orders = draw_permutations(len(drawn), seed=settings.seed, split=split)
    return reference.split(
        predict, samples, drawn, orders, horizon=settings.horizon, origin=settings.offset_origin
    )


def assert_equal(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected.keys() <= found.keys()
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_equal(found[name], value)
        else:
            assert found[name] == pytest.approx(value, abs=1e-5), name


@pytest.mark.parametrize(
    ("horizon", "origin"), [(3, "context"), (5, "context"), (5, "target"), (1, "target")]
)
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_all_numbers_of_all_models(model_type, horizon, origin, world, random_model):
    val, ood = world(LENGTHS, seed=1), world(LENGTHS[::-1], seed=2, name="OOD", drift=0.9)
    settings = FivecatSettings(horizon=horizon, offset_origin=origin, seed=3, batch_size=16)
    model = random_model(model_type, seed=horizon)
    document = run_battery(model, val, ood, settings, Thresholds()).to_json()
    assert_equal(document["VAL"], slow(model, val, settings, 0))
    assert_equal(document["OOD"], slow(model, ood, settings, 1))


@pytest.mark.parametrize("seed", range(3))
def test_a_drawn_part_of_the_samples_and_contexts_from_elsewhere(seed, world, random_model):
    """Articles of two chunks and more, so that every test must leave some samples out."""
    lengths = np.random.default_rng(seed).integers(2, 15, 30).tolist()
    val = world(lengths, seed=seed, first=1)
    random = np.random.default_rng(seed)
    strange = random.permutation(len(val.vectors))
    val = replace(val, context_vectors=val.vectors[strange], contexts=strange[val.contexts])
    ood = world([9] * 5, seed=seed + 100)
    settings = FivecatSettings(max_samples=70, horizon=4, seed=seed, batch_size=9)
    model = random_model("lstm", seed=seed)
    document = run_battery(model, val, ood, settings, Thresholds()).to_json()
    assert_equal(document["VAL"], slow(model, val, settings, 0))
    assert_equal(document["OOD"], slow(model, ood, settings, 1))
    assert document["VAL"]["offset_n"] < document["VAL"]["retrieval_n"] < 70


def test_half_precision_banks(world, random_model):
    val = world(LENGTHS, seed=5)
    halved = val.vectors.astype(np.float16)
    val = replace(val, vectors=halved, context_vectors=halved)
    settings = FivecatSettings(horizon=3)
    model = random_model("lstm")
    document = run_battery(model, val, val, settings, Thresholds()).to_json()
    assert_equal(document["VAL"], slow(model, val, settings, 0))


def test_the_bins_follow_the_thresholds(world, random_model):
    val = world(LENGTHS, seed=6)
    thresholds = Thresholds(bin_low=0.6, bin_normal=0.7)
    model, settings = random_model("amn"), FivecatSettings(horizon=2)
    found = run_battery(model, val, val, settings, thresholds).val
    with_defaults = slow(model, val, settings, 0)
    assert found["low_n"] > with_defaults["low_n"]
    assert found["low_n"] + found["normal_n"] + found["high_n"] == len(val)
