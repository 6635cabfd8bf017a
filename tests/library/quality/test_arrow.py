"""The arrow-of-time probe: 0.5 where there is none, near 1 where the dynamics have a sense."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lvm.errors import DataError
from lvm.quality.arrow import _Features, _noise, probe_arrow, render_arrow


def _reversed_articles(vectors, ids):
    return vectors[::-1].copy(), ids.max() - ids[::-1]


def test_rotations_in_one_sense_are_told_from_their_reverse(corpora):
    report = probe_arrow(corpora.windows_of(*corpora.turning_articles(articles=120)))

    assert report.accuracy > 0.9
    assert report.found
    assert report.words.startswith("a clear arrow")


def test_a_random_walk_has_no_arrow(corpora):
    report = probe_arrow(corpora.windows_of(*corpora.walking_articles(articles=200)))

    assert abs(report.accuracy - 0.5) < 0.06
    assert not report.found
    assert "no arrow of time" in report.words


def test_rows_in_no_order_have_no_arrow(corpora):
    vectors, ids = corpora.turning_articles(articles=200)
    rng = np.random.default_rng(0)
    mixed = np.concatenate([rng.permutation(np.flatnonzero(ids == i)) for i in np.unique(ids)])
    assert not probe_arrow(corpora.windows_of(vectors[mixed], ids)).found


def test_articles_read_backwards_have_as_much_of_an_arrow(corpora):
    articles = corpora.turning_articles(articles=120)
    forward = probe_arrow(corpora.windows_of(*articles))
    backward = probe_arrow(corpora.windows_of(*_reversed_articles(*articles)))
    assert backward.accuracy == pytest.approx(forward.accuracy, abs=0.05)


def test_what_was_learned_forwards_is_wrong_on_every_reversed_window(corpora):
    """Each feature changes its sign: the answers for a window and its reverse are opposite."""
    windows = corpora.windows_of(*corpora.turning_articles(articles=20))
    chosen = np.arange(len(windows))
    features = _Features.fitted(windows, chosen, np.random.default_rng(0))
    contexts, _ = windows.gather(chosen)
    np.testing.assert_allclose(features(contexts[:, ::-1]), -features(contexts), atol=1e-6)


def test_windows_that_say_the_same_do_not_make_it_surer():
    right = np.random.default_rng(0).integers(0, 2, 40).astype(float)
    articles = np.arange(40)
    once = _noise(right, articles)

    assert once == pytest.approx(2 * right.std() / np.sqrt(40))
    assert _noise(np.repeat(right, 15), np.repeat(articles, 15)) == pytest.approx(once)


def test_the_same_seed_gives_the_same_report(corpora):
    windows = corpora.windows_of(*corpora.turning_articles(articles=30))
    first, again = probe_arrow(windows, seed=4), probe_arrow(windows, seed=4)
    assert first == again
    document = json.loads(json.dumps(first.to_json(), allow_nan=False))
    assert document["accuracy"] == first.accuracy
    assert document["chance"] == 0.5


def test_too_few_samples_are_refused(corpora):
    with pytest.raises(DataError, match="too few"):
        probe_arrow(corpora.windows_of(*corpora.walking_articles(articles=1, length=12)))


def test_vectors_that_are_not_numbers_are_refused(corpora):
    vectors, ids = corpora.walking_articles(articles=10)
    vectors[40] = np.nan
    with pytest.raises(DataError, match="NaN"):
        probe_arrow(corpora.windows_of(vectors, ids))


def test_the_rendering_gives_accuracy_noise_and_chance(corpora):
    report = probe_arrow(corpora.windows_of(*corpora.turning_articles(articles=30)))
    assert render_arrow(report)[0] == (
        f"arrow of time: {report.accuracy:.3f} ± {report.noise:.3f}, chance 0.5"
        f"   ({report.test_samples} held-out windows)"
    )
