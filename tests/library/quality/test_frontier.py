"""The frontier of cosine and margin, traced on tables of dot products."""

from __future__ import annotations

import numpy as np
import pytest

from lvm.data.sequences import following_rows
from lvm.quality.frontier import (
    OFFSETS,
    TARGET,
    Basis,
    Point,
    best_margin,
    margin_of,
    pareto,
    tables_of_samples,
    tables_of_sequences,
    trace,
)
from lvm.quality.ridge import accumulate


@pytest.fixture(name="corpus")
def _corpus(corpora):
    train = corpora.windows_of(*corpora.turning_articles(articles=60, seed=1))
    following = following_rows(train)
    equations = accumulate(train, np.arange(len(train)), ahead=3, following=following)
    basis = Basis(tuple(equations.solve(1.0, 3)), equations.mean_targets[0].astype(np.float32))
    val = corpora.samples_of(*corpora.turning_articles(articles=20, seed=2))
    return train, following, basis, val


def _by_hand(basis, coefficients, samples):
    """Mean cosine at each offset, one sample and one offset at a time."""
    sums, counts = np.zeros(7), np.zeros(7)
    for number in range(len(samples)):
        contexts = samples.context_vectors[samples.contexts[number]]
        guess = coefficients @ basis(contexts[None])[0].astype(np.float64)
        guess /= np.linalg.norm(guess)
        for column, k in enumerate(OFFSETS):
            row = samples.target_rows[number] + k - 1
            if samples.article_starts[number] <= row < samples.article_ends[number]:
                sums[column] += guess @ samples.vectors[row]
                counts[column] += 1
    return sums / counts


def test_cosines_from_the_tables_are_those_worked_one_by_one(corpus):
    _, _, basis, val = corpus
    coefficients = np.random.default_rng(0).normal(size=len(basis))
    tables = tables_of_samples(basis, val, np.arange(len(val)))

    expected = _by_hand(basis, coefficients, val)
    np.testing.assert_allclose(tables.cosines(coefficients), expected, atol=1e-5)
    # 20 articles of 20 chunks: 15 samples each, of which 14 have a chunk at +2 and 13 at +3
    assert tables.known.sum(axis=0).tolist() == [300, 300, 300, 300, 300, 280, 260]


def test_k_counts_from_the_last_context(corpus):
    _, _, basis, val = corpus
    tables = tables_of_samples(basis, val, np.arange(len(val)))
    copy_last = np.eye(len(basis))[4]

    cosines = tables.cosines(copy_last)
    assert cosines[OFFSETS.index(0)] == pytest.approx(1.0, abs=1e-6)
    assert margin_of(cosines) == pytest.approx(cosines[TARGET] - 1.0, abs=1e-6)


def test_training_windows_and_placed_samples_give_the_same_tables(corpora, corpus):
    _, _, basis, val = corpus
    vectors, ids = corpora.turning_articles(articles=20, seed=2)
    windows = corpora.windows_of(vectors, ids)
    from_windows = tables_of_sequences(
        basis, windows, np.arange(len(windows)), following_rows(windows)
    )
    from_samples = tables_of_samples(basis, val, np.arange(len(val)))

    np.testing.assert_array_equal(from_windows.known, from_samples.known)
    np.testing.assert_allclose(from_windows.dots, from_samples.dots, atol=1e-6)
    np.testing.assert_allclose(from_windows.gram, from_samples.gram, atol=1e-6)


def test_a_combination_is_one_affine_map(corpus):
    _, _, basis, val = corpus
    coefficients = np.random.default_rng(1).normal(size=len(basis))
    contexts = val.vectors[val.contexts[:50]]

    expected = np.einsum("b,nbd->nd", coefficients, basis(contexts))
    np.testing.assert_allclose(basis.combined(coefficients)(contexts), expected, atol=1e-4)


def test_more_weight_on_the_margin_buys_margin_for_cosine(corpus):
    train, following, basis, _ = corpus
    tables = tables_of_sequences(basis, train, np.arange(len(train)), following)
    ridge = tables.cosines(np.eye(len(basis))[5])
    found = [tables.cosines(each) for each in trace(tables)]

    cosine = [float(each[TARGET]) for each in found]
    margin = [margin_of(each) for each in found]
    assert cosine == sorted(cosine, reverse=True)
    assert margin == sorted(margin)
    assert cosine[0] >= ridge[TARGET]  # never worse than the predictor that it starts from
    assert margin[-1] > margin_of(ridge) + 0.09


def test_no_single_combination_beats_the_traced_one_for_its_trade(corpus):
    train, following, basis, _ = corpus
    tables = tables_of_sequences(basis, train, np.arange(len(train)), following)
    (found,) = trace(tables, trades=[0.5])

    def value(coefficients):
        cosines = tables.cosines(coefficients)
        return (1 - 0.5) * cosines[TARGET] + 0.5 * margin_of(cosines)

    best = value(found)
    rng = np.random.default_rng(0)
    for scale in (0.01, 0.05, 0.3, 1.0):
        for _ in range(50):
            assert value(found + scale * rng.normal(size=len(found)) / 3) < best + 0.002


def test_without_dynamics_the_margin_never_becomes_positive(corpora):
    # rows in random order within their article: nothing tells the next chunk from the others
    def shuffled(seed):
        vectors, ids = corpora.walking_articles(articles=60, seed=seed)
        rng = np.random.default_rng(seed)
        mixed = np.concatenate([rng.permutation(np.flatnonzero(ids == i)) for i in np.unique(ids)])
        return vectors[mixed], ids

    train = corpora.windows_of(*shuffled(1))
    following = following_rows(train)
    equations = accumulate(train, np.arange(len(train)), ahead=3, following=following)
    basis = Basis(tuple(equations.solve(1.0, 3)), equations.mean_targets[0].astype(np.float32))
    found = trace(tables_of_sequences(basis, train, np.arange(len(train)), following))
    val = corpora.samples_of(*shuffled(2))
    tables = tables_of_samples(basis, val, np.arange(len(val)))

    assert max(margin_of(tables.cosines(each)) for each in found) < 0.02


def test_samples_without_chunks_after_the_target_are_still_traced(corpora):
    windows = corpora.windows_of(*corpora.turning_articles(articles=60, length=6))
    following = following_rows(windows)
    equations = accumulate(windows, np.arange(len(windows)), ahead=3, following=following)
    assert equations.counts == (60, 0, 0)
    basis = Basis(tuple(equations.solve(1.0, 1)), equations.mean_targets[0].astype(np.float32))
    tables = tables_of_sequences(basis, windows, np.arange(len(windows)), following)

    found = [tables.cosines(each) for each in trace(tables)]
    assert np.isnan([each[5:] for each in found]).all()
    assert np.isfinite([margin_of(each) for each in found]).all()


def _point(trade, cos, margin):
    cosines = np.zeros(7)
    cosines[TARGET] = cos
    cosines[OFFSETS.index(0)] = cos - margin
    return Point(trade, {"VAL": cosines}, np.zeros(1))


def test_only_points_that_nothing_beats_are_on_the_frontier():
    best, good, beaten, wide = (
        _point(0.0, 0.6, -0.2),
        _point(0.4, 0.5, 0.0),
        _point(0.5, 0.45, -0.05),
        _point(0.9, 0.3, 0.1),
    )
    kept = pareto([wide, beaten, good, best], "VAL")
    assert [point.trade for point in kept] == [0.0, 0.4, 0.9]


def test_the_best_margin_at_a_cosine_lies_between_two_points():
    points = [_point(0.0, 0.6, -0.2), _point(0.4, 0.5, 0.0), _point(0.9, 0.3, 0.1)]

    assert best_margin(points, "VAL", 0.55) == pytest.approx(-0.1)
    assert best_margin(points, "VAL", 0.40) == pytest.approx(0.05)
    assert best_margin(points, "VAL", 0.20) == pytest.approx(0.1)
    assert best_margin(points, "VAL", 0.61) is None
