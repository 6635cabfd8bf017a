"""Ridge regression by streaming normal equations."""

from __future__ import annotations

import numpy as np
import pytest

from lvm.data.sequences import following_rows
from lvm.errors import DataError
from lvm.quality import ridge
from lvm.quality.baselines import copy_last, fit_ridge, mean_of_contexts
from lvm.quality.ridge import accumulate, choose_alpha, split_for_tuning


@pytest.fixture(name="windows")
def _windows(corpora):
    return corpora.windows_of(*corpora.turning_articles(articles=30))


def _direct_ridge(x, y, alpha):
    """The textbook formula, all data at once, in double precision."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    centred, shifted = x - x.mean(0), y - y.mean(0)
    gram = centred.T @ centred
    gram += alpha * np.trace(gram) / len(gram) * np.eye(len(gram))
    weight = np.linalg.solve(gram, centred.T @ shifted)
    return weight, y.mean(0) - x.mean(0) @ weight


@pytest.mark.parametrize("alpha", [0.01, 1.0, 100.0])
def test_streaming_gives_the_textbook_solution(windows, alpha, monkeypatch):
    samples = np.arange(len(windows))
    contexts, targets = windows.gather(samples)
    weight, bias = _direct_ridge(contexts.reshape(len(contexts), -1), targets, alpha)

    monkeypatch.setattr(ridge, "BLOCK_ROWS", 37)  # so that the last block is a short one
    fitted = accumulate(windows, samples).solve(alpha, ahead=1)[0]

    np.testing.assert_allclose(fitted.weight, weight, atol=2e-5)
    np.testing.assert_allclose(fitted.bias, bias, atol=2e-5)


def test_an_exact_linear_law_is_found(corpora):
    # without topic and noise the next state is one rotation of the last context
    windows = corpora.windows_of(*corpora.turning_articles(noise=0.0, topic=0.0))
    fitted = accumulate(windows, np.arange(len(windows))).solve(1e-6, ahead=1)[0]
    contexts, targets = windows.gather(np.arange(len(windows)))

    np.testing.assert_allclose(fitted(contexts), targets, atol=1e-3)


def test_chunks_further_ahead_are_fitted_on_the_windows_that_have_them(corpora):
    vectors, ids = corpora.turning_articles(articles=30)
    windows = corpora.windows_of(vectors, ids)
    equations = accumulate(
        windows, np.arange(len(windows)), ahead=3, following=following_rows(windows)
    )
    # 20 chunks: 15 windows, 14 with a chunk at k = +2, 13 with one at k = +3
    assert equations.counts == (30 * 15, 30 * 14, 30 * 13)

    first = np.flatnonzero(ids[:-6] == ids[6:])
    x = vectors[first[:, None] + np.arange(5)].reshape(len(first), -1)
    weight, bias = _direct_ridge(x, vectors[first + 6], 1.0)
    second = equations.solve(1.0, ahead=3)[1]
    # the gram is that of all windows, so nearly but not wholly the same map
    np.testing.assert_allclose(second(x.reshape(-1, 5, 24)), x @ weight + bias, atol=0.05)


def test_rows_follow_one_another_as_the_windows_say(corpora):
    vectors, ids = corpora.walking_articles(articles=2, length=8)
    following = following_rows(corpora.windows_of(vectors, ids))
    assert following.tolist() == [1, 2, 3, 4, 5, 6, 7, -1, 9, 10, 11, 12, 13, 14, 15, -1]


def test_a_row_with_two_successors_has_none(corpora):
    # rows 3 and 9 are one text: 3 is followed by 4 in one article and by 10 in the other
    vectors, _ = corpora.walking_articles(articles=2, length=6)
    contexts = np.array([[0, 1, 2, 3, 4], [6, 7, 8, 3, 10]])
    following = following_rows(corpora.sequence_set(vectors, contexts, np.array([5, 11])))

    assert following[3] == -1
    assert following[[2, 4, 8, 10]].tolist() == [3, 5, 3, 11]


def test_alpha_is_the_best_of_the_grid_on_held_out_samples(corpora):
    windows = corpora.windows_of(*corpora.walking_articles(articles=12))
    held_out = corpora.windows_of(*corpora.walking_articles(articles=30, seed=5))
    contexts, targets = held_out.gather(slice(None))
    equations = accumulate(windows, np.arange(len(windows)))

    def cosine(alpha):
        guess = equations.solve(alpha, ahead=1)[0](contexts)
        guess /= np.linalg.norm(guess, axis=1, keepdims=True)
        return float((guess * targets).sum(axis=1).mean())

    assert choose_alpha(equations, contexts, targets) == max(ridge.ALPHAS, key=cosine)


def test_tuning_articles_are_not_fitted_on(windows):
    fit, tune = split_for_tuning(windows, np.random.default_rng(0), 10_000)

    assert len(fit) + len(tune) == len(windows)
    assert len(np.unique(windows.article_ids[tune])) == 3  # a tenth of 30
    assert not set(windows.article_ids[fit]) & set(windows.article_ids[tune])


def test_without_article_ids_the_last_tenth_is_for_tuning(corpora, windows):
    bare = corpora.sequence_set(windows.vectors, windows.contexts, windows.targets)
    fit, tune = split_for_tuning(bare, np.random.default_rng(0), 10_000)
    assert (fit[-1], tune[0], tune[-1]) == (404, 405, 449)


def test_the_cap_on_training_samples_is_kept(windows):
    fit, _ = split_for_tuning(windows, np.random.default_rng(0), 100)
    assert len(fit) == 100
    assert np.all(np.diff(fit) > 0)


def test_too_few_samples_are_refused_with_the_file_named(corpora):
    windows = corpora.windows_of(*corpora.walking_articles(articles=1, length=10))
    with pytest.raises(DataError, match="5 training samples are too few") as caught:
        fit_ridge(windows)
    assert caught.value.where == "train.npz"


def test_constant_vectors_do_not_break_the_fit(corpora):
    vectors = np.tile(np.eye(1, 8, dtype=np.float32), (60, 1))
    windows = corpora.windows_of(vectors, np.zeros(60, np.int64))
    fitted = fit_ridge(windows)
    contexts, targets = windows.gather(slice(None))
    np.testing.assert_allclose(fitted.map(contexts), targets, atol=1e-6)


def test_the_same_seed_fits_the_same_ridge(windows):
    first, again = fit_ridge(windows, seed=2), fit_ridge(windows, seed=2)
    assert first.alpha == again.alpha
    np.testing.assert_array_equal(first.map.weight, again.map.weight)


def test_baselines_predict_unit_vectors_from_batches_of_contexts(windows):
    import torch

    contexts, _ = windows.gather(np.arange(7))
    batch = torch.from_numpy(contexts)
    fitted = fit_ridge(windows)
    for model in (copy_last(), mean_of_contexts(), fitted.predictor()):
        with torch.no_grad():
            predicted = model(batch)
        assert predicted.shape == (7, windows.dim)
        np.testing.assert_allclose(predicted.norm(dim=1).numpy(), 1.0, atol=1e-5)

    np.testing.assert_allclose(copy_last()(batch).numpy(), contexts[:, 4], atol=1e-6)
    mean = contexts.mean(axis=1)
    expected = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(mean_of_contexts()(batch).numpy(), expected, atol=1e-6)
    raw = fitted.map(contexts)
    expected = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predictor()(batch).numpy(), expected, atol=1e-5)


def test_progress_tells_how_far_the_pass_is(windows):
    seen = []
    accumulate(windows, np.arange(len(windows)), progress=lambda *what: seen.append(what))
    assert seen[0] == ("normal equations", 0, 450)
    assert seen[-1] == ("normal equations", 450, 450)
