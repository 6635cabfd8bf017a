"""What ours is measured against does the same work; and ours does the work that is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import cuda
from benchmarks.corpora import with_sequences
from benchmarks.fivecat.plain import differences
from benchmarks.fivecat.suite import plain_battery
from benchmarks.training import peak
from benchmarks.training.driven import Driven, with_long_epoch
from benchmarks.training.plain import Inflated, PlainLoop
from benchmarks.turns import take_turns
from lvm.clock import SystemClock
from lvm.events import EpochFinished
from lvm.fivecat.battery import SPLITS, run_battery
from lvm.models import MODEL_TYPES, build
from lvm.settings import FivecatSettings, Thresholds, TrainSettings
from lvm.training.trainer import train

SMALL = TrainSettings(model="gru", d_model=16, hidden_dim=16, batch_size=32, device="cpu")


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_the_plain_battery_and_the_engine_find_the_same_numbers(model_type, corpus):
    torch.manual_seed(1)
    model = build(model_type, corpus.dim, d_model=16, hidden_dim=24).eval()
    val, ood = corpus.val_samples, corpus.ood_samples
    settings = FivecatSettings(max_samples=20, horizon=3)
    plain = plain_battery(model, val, ood, settings)
    ours = run_battery(model, val, ood, settings, Thresholds()).to_json()
    for label in SPLITS:
        off = differences(ours[label], plain[label])
        assert len(off) > 20
        assert max(off.values()) < 1e-5, off


def test_a_number_that_differs_is_found_wherever_it_lies():
    found = {"cos": {"1": 0.5}, "steps": [0.1, 0.2], "low_mean": None, "n": 3}
    assert set(differences(found, found).values()) == {0.0}
    for changed in (
        {"cos": {"1": 0.6}},
        {"steps": [0.1, 0.3]},
        {"low_mean": 0.0},
        {"n": 4},
    ):
        assert max(differences(found, found | changed).values()) > 0.05


def test_the_driven_trainer_does_just_the_batches_of_each_turn(corpus, tmp_path):
    done = []
    with Driven(SMALL, corpus, tmp_path) as training:
        for batches in (1, 3, 2):
            training.run(batches)
            done.append(training.steps)
    assert done == [1, 4, 6]


def test_the_long_epoch_repeats_the_same_windows(corpus):
    longer = with_long_epoch(corpus, batch_size=64).train
    count = len(corpus.train)
    assert len(longer) >= 64 * 2000
    assert np.array_equal(longer.contexts[count : 2 * count], corpus.train.contexts)
    assert np.array_equal(longer.targets[count : 2 * count], corpus.train.targets)


def test_the_plain_loop_trains_as_the_trainer_does(corpus, tmp_path):
    """One epoch over one and the same sample, in whatever order it comes."""
    train_set = corpus.train
    one = replace(
        train_set,
        contexts=np.repeat(train_set.contexts[:1], 256, axis=0),
        targets=np.repeat(train_set.targets[:1], 256),
        article_ids=None,
        target_indices=None,
    )
    settings = SMALL.changed(warmup_steps=0, seed=3, epochs=1, fivecat_samples=5)
    events = list(
        train(
            settings,
            replace(corpus, train=one),
            tmp_path,
            thresholds=Thresholds(),
            control=lambda: None,
            clock=SystemClock(),
        )
    )
    found = next(event for event in events if isinstance(event, EpochFinished))
    torch.manual_seed(3)
    model = build("gru", corpus.dim, d_model=16, hidden_dim=16)
    plain = PlainLoop(model, Inflated(one), settings, torch.device("cpu"))
    plain.run(256 // 32)
    assert plain.losses[-1] < plain.losses[0]
    assert np.mean(plain.losses) == pytest.approx(found.train_loss, rel=1e-4)
    assert np.mean(plain.cosines) == pytest.approx(found.train_cosine, abs=1e-5)


def test_the_operations_of_a_step_are_three_products_a_weight(corpus):
    """The forward one, and in the backward pass one for the weights and one for the inputs."""
    settings = SMALL.changed(model="lstm", hidden_dim=32)
    width, dim, rows = 32, corpus.dim, settings.batch_size
    recurrent = 4 * width * (dim + width + width + width) * 5
    counted = peak.step_operations(settings, dim)
    assert counted == pytest.approx(3 * 2 * rows * (recurrent + width * dim), rel=0.2)


def test_the_part_for_gpus_runs_on_any_device():
    small = {"dim": 32, "sequences": 300, "articles": 20, "samples": 10}
    figures = list(cuda.measure_on("cpu", beside="", models=("amn", "gru"), **small))
    assert len(figures) == 2 * 2 + 1
    assert all(figure.value > 0 for figure in figures)
    epochs, batteries = figures[0:-1:2], figures[1:-1:2]
    seconds = sum(20 * e.value + 4 * b.value for e, b in zip(epochs, batteries, strict=True))
    assert figures[-1].value == pytest.approx(seconds / 60)


def test_growing_data_is_gathered_from_the_whole_file(corpus, tmp_path):
    train_set = with_sequences(corpus, 50, tmp_path / "bank.f32").train
    assert len(train_set) == 50
    assert train_set.vectors.shape == (55, corpus.dim)
    assert train_set.targets.tolist() == list(range(5, 55))
    assert np.allclose(np.linalg.norm(train_set.vectors, axis=1), 1)


def test_in_turns_everyone_goes_first_once():
    order: list[str] = []
    names = ("a", "b", "c")
    turns = take_turns({name: lambda name=name: order.append(name) for name in names}, 3)
    assert "".join(order) == "abcbcacab"
    assert {len(turns.seconds[name]) for name in names} == {3}
