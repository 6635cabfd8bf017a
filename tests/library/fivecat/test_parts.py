"""The five tests one by one, on worlds small enough to work out by hand."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from lvm.fivecat import ablations, bins, retrieval
from lvm.fivecat.draws import draw_permutations, draw_samples
from lvm.fivecat.offsets import cosines, neighbours
from lvm.fivecat.rollout import roll_out
from lvm.models.predict import Predictor
from lvm.settings import Thresholds

from .conftest import Says

# ------------------------------------------------------------------ draws


def test_no_sample_is_drawn_twice_and_the_seed_decides():
    drawn = draw_samples(1000, 300, seed=5, split=0)
    assert len(set(drawn.tolist())) == 300
    assert drawn.min() >= 0
    assert drawn.max() < 1000
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn, draw_samples(1000, 300, seed=5, split=0))
    assert (drawn != draw_samples(1000, 300, seed=6, split=0)).any()
    assert (drawn != draw_samples(1000, 300, seed=5, split=1)).any()


def test_fewer_samples_than_asked_for_are_all_taken():
    np.testing.assert_array_equal(draw_samples(7, 1000, seed=0, split=0), np.arange(7))
    np.testing.assert_array_equal(draw_samples(7, 7, seed=0, split=0), np.arange(7))


def test_every_sample_is_as_likely_as_any_other():
    counts = Counter(
        int(number) for seed in range(400) for number in draw_samples(10, 5, seed=seed, split=0)
    )
    assert set(counts) == set(range(10))
    assert all(150 < count < 250 for count in counts.values())


def test_a_shuffle_is_any_order_but_the_given_one():
    orders = draw_permutations(20_000, seed=1, split=0)
    found = Counter(map(tuple, orders.tolist()))
    every = set(itertools.permutations(range(5))) - {(0, 1, 2, 3, 4)}
    assert set(found) == every
    assert all(100 < count < 250 for count in found.values())
    np.testing.assert_array_equal(orders, draw_permutations(20_000, seed=1, split=0))


def test_nothing_global_is_drawn_from():
    np.random.seed(3)
    before = np.random.get_state()[1].tolist()
    draw_samples(100, 10, seed=0, split=0)
    draw_permutations(10, seed=0, split=0)
    assert np.random.get_state()[1].tolist() == before


# ------------------------------------------------------------------ offsets


def test_k_counts_from_the_last_context_or_from_the_target(world):
    samples = world([9, 9])
    third = np.array([2])  # of the first article: contexts 2…6, target 7
    k = range(-3, 4)
    context = neighbours(samples, third, k, "context")
    target = neighbours(samples, third, k, "target")
    assert context.rows.tolist() == [[3, 4, 5, 6, 7, 8, 9]]
    assert context.exist.tolist() == [[True] * 6 + [False]]  # row 9 is of the next article
    assert target.rows.tolist() == [[4, 5, 6, 7, 8, 9, 10]]
    assert target.exist.tolist() == [[True] * 5 + [False] * 2]
    assert not context.complete.any()


def test_cosines_with_chunks_at_several_offsets():
    vectors = np.eye(3, dtype=np.float32)
    predictions = torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    found = cosines(predictions, vectors, np.array([[0, 1], [2, 0]]))
    np.testing.assert_allclose(found, [[0.6, 0.8], [1.0, 0.0]], atol=1e-7)


# ------------------------------------------------------------------ retrieval


def ranked(world, predictions, vectors=None, lengths=(8,), **changes):
    samples = replace(world(list(lengths)), **changes)
    if vectors is not None:
        samples = replace(samples, vectors=vectors, context_vectors=vectors)
    found = retrieval.ranks(torch.as_tensor(predictions), samples, np.arange(len(samples)))
    return found.tolist()


def test_the_rank_counts_the_chunks_of_the_article_that_are_nearer(world):
    vectors = np.eye(8, dtype=np.float32)
    predictions = np.zeros((3, 8), np.float32)
    predictions[0, [5, 6, 0]] = [0.5, 0.1, 0.2]  # target 5 is nearest
    predictions[1, [6, 0, 7]] = [0.5, 0.8, 0.9]  # one later and one outside the contexts nearer
    predictions[2, [7, 2, 3, 4]] = [0.1, 0.5, 0.6, 0.7]  # three of the contexts 2…6 nearer
    assert ranked(world, predictions, vectors) == [[1, 1], [3, 3], [4, 1]]


def test_contexts_are_left_out_and_nothing_else(world):
    vectors = np.eye(8, dtype=np.float32)
    predictions = np.tile(np.array([8, 7, 6, 5, 4, 3, 2, 1], np.float32), (3, 1))
    # targets 5, 6, 7; before each all earlier ones; the first 0, 1, 2 of them are no contexts
    assert ranked(world, predictions, vectors) == [[6, 1], [7, 2], [8, 3]]


def test_a_chunk_exactly_as_near_counts_as_nearer_so_that_saying_nothing_finds_nothing(world):
    assert ranked(world, np.zeros((3, 16), np.float32)) == [[8, 3]] * 3


def test_a_copy_of_the_true_chunk_does_not_count_against_it(world):
    vectors = np.eye(8, dtype=np.float32)
    vectors[0] = vectors[6] = vectors[5]
    predictions = np.tile(np.array([0, 0.1, 0, 0, 0, 1, 1, 0.5], np.float32), (3, 1))
    assert ranked(world, predictions, vectors)[:2] == [[1, 1], [1, 1]]


def test_articles_shorter_than_six_chunks_are_left_out(world):
    samples = world([6, 6])
    samples = replace(samples, article_ends=samples.article_starts + np.array([5, 6]))
    found = retrieval.ranks(torch.zeros(2, 16), samples, np.arange(2))
    assert found.tolist() == [[0, 0], [6, 1]]
    assert retrieval.summarise(found)["retrieval_n"] == 1
    assert retrieval.summarise(found[:1])["r1"] is None


def test_a_long_article_is_ranked_in_blocks(world, monkeypatch):
    samples = world([40, 25])
    predictions = torch.randn(len(samples), 16, generator=torch.Generator().manual_seed(0))
    whole = retrieval.ranks(predictions, samples, np.arange(len(samples)))
    monkeypatch.setattr(retrieval, "_BLOCK", 7)
    np.testing.assert_array_equal(
        retrieval.ranks(predictions, samples, np.arange(len(samples))), whole
    )


def test_recall_and_reciprocal_rank():
    found = retrieval.summarise(np.array([[1, 1], [2, 1], [5, 4], [6, 6], [0, 0]]))
    assert found == {
        "retrieval_n": 4,
        "r1": 0.25,
        "r5": 0.75,
        "mrr": pytest.approx((1 + 1 / 2 + 1 / 5 + 1 / 6) / 4),
        "r1_without_context": 0.5,
        "r5_without_context": 0.75,
        "mrr_without_context": pytest.approx((1 + 1 + 1 / 4 + 1 / 6) / 4),
    }


# ------------------------------------------------------------------ ablations


def test_the_nine_spoilt_contexts():
    contexts = torch.tensor([[[10.0], [11], [12], [13], [14]], [[20], [21], [22], [23], [24]]])
    orders = np.array([[1, 0, 2, 3, 4], [4, 3, 0, 1, 2]])
    found = [
        (name, spoilt[..., 0].int().tolist())
        for name, spoilt in ablations.variants(contexts, orders)
    ]
    assert len(found) == ablations.PASSES == 9
    assert found[0] == ("shuffled", [[11, 10, 12, 13, 14], [24, 23, 20, 21, 22]])
    assert [(name, rows[0]) for name, rows in found[1:]] == [
        ("reversed", [14, 13, 12, 11, 10]),
        ("leave_one_out", [11, 12, 13, 14, 14]),
        ("leave_one_out", [10, 12, 13, 14, 14]),
        ("leave_one_out", [10, 11, 13, 14, 14]),
        ("leave_one_out", [10, 11, 12, 14, 14]),
        ("leave_one_out", [10, 11, 12, 13, 13]),
        ("repeat_last", [14, 14, 14, 14, 14]),
        ("cross_article", [10, 11, 12, 13, 10]),
    ]


# ------------------------------------------------------------------ rollout and bins


def test_each_step_reads_the_predictions_before_it():
    contexts = torch.arange(5.0).reshape(1, 5, 1)
    predict = Predictor(Says(0))  # always the oldest of what it reads
    steps = list(roll_out(predict, contexts, predict(contexts), 8))
    assert [float(step) for step in steps] == [1, 2, 3, 4, 0, 1, 2]
    assert list(roll_out(predict, contexts, predict(contexts), 1)) == []


def test_coherence_is_the_mean_cosine_of_adjacent_contexts():
    a, b = [1.0, 0.0], [0.6, 0.8]
    assert bins.coherence(torch.tensor([[a, a, b, a, b]])) == pytest.approx((1 + 0.6 * 3) / 4)


def test_bins_include_their_borders_on_the_side_of_normal_and_an_empty_bin_is_not_measured():
    coherence = np.array([0.449999, 0.45, 0.50, 0.55])
    found = bins.summarise(coherence, np.array([0.1, 0.2, 0.3, 0.7]), Thresholds())
    assert found == {
        "low_mean": pytest.approx(0.1),
        "low_n": 1,
        "normal_mean": pytest.approx(0.4),
        "normal_n": 3,
        "high_mean": None,
        "high_n": 0,
    }
    assert bins.summarise(np.array([0.550001]), np.ones(1), Thresholds())["high_n"] == 1
