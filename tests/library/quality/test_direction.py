"""The direction check: three numbers, one kind, one remedy."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from lvm.data.sequences import SequenceSet
from lvm.errors import DataError
from lvm.quality.direction import check_direction, render_report
from lvm.settings import Thresholds

NEEDS = Thresholds(coherence=0.40, signal=0.08)


@pytest.fixture(name="walk")
def _walk(corpora):
    return corpora.walking_articles(articles=120)


def _rewired(corpora, walk, contexts, targets=None) -> SequenceSet:
    vectors, ids = walk
    forward = corpora.windows_of(vectors, ids)
    return corpora.sequence_set(
        vectors,
        contexts(forward.contexts),
        forward.targets if targets is None else targets(forward.targets),
        forward.article_ids,
    )


def test_the_numbers_are_those_of_two_samples_worked_by_hand(corpora):
    # unit vectors in the plane at 0°, 10°, … 90°; the second window starts 30° further on
    angles = np.deg2rad(np.arange(0, 100, 10))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    contexts = np.array([[0, 1, 2, 3, 4], [3, 4, 5, 6, 7]])
    report = check_direction(corpora.sequence_set(vectors, contexts, np.array([5, 8])), NEEDS)

    assert report.samples == 2
    assert report.coherence == pytest.approx(np.cos(np.deg2rad(10)), abs=1e-6)
    assert report.position_to_target == pytest.approx(np.cos(np.deg2rad([50, 40, 30, 20, 10])))
    assert report.signal == pytest.approx(np.cos(np.deg2rad(10)) - np.cos(np.deg2rad(50)))
    assert report.monotonic
    assert report.kind == "forward"
    assert report.fix == ""


def test_connected_text_is_forward_and_passes_all_three_checks(corpora, walk):
    report = check_direction(corpora.windows_of(*walk), NEEDS)

    assert [(check.name, check.passed) for check in report.checks] == [
        ("coherence", True),
        ("signal", True),
        ("order", True),
    ]
    assert report.passed
    assert report.kind == "forward"


def test_windows_stored_newest_first_are_reversed(corpora, walk):
    report = check_direction(_rewired(corpora, walk, lambda rows: rows[:, ::-1]), NEEDS)
    forward = check_direction(corpora.windows_of(*walk), NEEDS)

    assert report.kind == "reversed"
    assert not report.passed
    assert report.signal == pytest.approx(-forward.signal)
    assert "oldest context" in report.words
    assert "chunk_indices ascending" in report.fix


def test_articles_whose_rows_are_in_no_order_are_shuffled(corpora, walk):
    vectors, ids = walk
    rng = np.random.default_rng(1)
    mixed = np.concatenate([rng.permutation(np.flatnonzero(ids == i)) for i in np.unique(ids)])
    report = check_direction(corpora.windows_of(vectors[mixed], ids), NEEDS)

    assert report.kind == "shuffled"
    assert "sort them by chunk_indices" in report.fix


def test_windows_across_articles_are_flat_and_incoherent(corpora, walk):
    order = np.random.default_rng(1).permutation(len(walk[1]))
    report = check_direction(_rewired(corpora, walk, lambda r: order[r], lambda r: order[r]), NEEDS)

    assert report.kind == "flat"
    assert "mixed articles" in report.words
    assert "across articles" in report.fix


def test_targets_shuffled_apart_from_their_contexts_are_detached(corpora, walk):
    rng = np.random.default_rng(1)
    report = check_direction(_rewired(corpora, walk, lambda r: r, rng.permutation), NEEDS)

    assert report.kind == "detached"
    assert report.checks[0].passed  # the contexts themselves are coherent
    assert "same permutation" in report.fix.replace("one and the ", "")


@pytest.mark.parametrize("columns", [[4, 0, 1, 2, 3], [0, 4, 1, 2, 3], [0, 1, 4, 2, 3]])
def test_columns_out_of_order_are_disordered(corpora, walk, columns):
    report = check_direction(_rewired(corpora, walk, lambda rows: rows[:, columns]), NEEDS)

    assert report.kind in {"disordered", "reversed"}
    assert (report.kind == "reversed") == (columns[0] == 4)
    assert not report.passed


def test_a_rise_below_its_threshold_is_weak_and_says_by_how_much(corpora, walk):
    need = Thresholds(coherence=0.40, signal=0.9)
    report = check_direction(corpora.windows_of(*walk), need)

    assert report.kind == "weak"
    assert f"signal is short by {0.9 - report.signal:.3f}" in report.words
    assert "coherence" not in report.words


def test_a_single_step_down_fails_the_order_even_within_the_noise(corpora):
    # windows of about 50°, 50.1°, 30°, 20°, 10° from their target, each angle off by some 5°
    wobble = np.random.default_rng(0).normal(scale=5, size=(80, 6))
    angles = np.deg2rad(np.array([50, 50.1, 30, 20, 10, 0]) + wobble).reshape(-1)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows = np.arange(480).reshape(80, 6)
    report = check_direction(corpora.sequence_set(vectors, rows[:, :5], rows[:, 5]), NEEDS)

    assert not report.monotonic
    assert [check.passed for check in report.checks] == [True, True, False]
    assert report.kind == "weak"
    assert "not from context 1 to 2" in report.words
    assert "within the noise" in report.words


def test_numbers_exactly_at_their_needs_pass(corpora, walk):
    first = check_direction(corpora.windows_of(*walk), NEEDS)
    at = Thresholds(coherence=first.coherence, signal=first.signal)
    assert check_direction(corpora.windows_of(*walk), at).passed

    above = Thresholds(coherence=float(np.nextafter(first.coherence, 2)), signal=first.signal)
    assert not check_direction(corpora.windows_of(*walk), above).passed


def test_no_samples_is_an_error_that_names_the_file(corpora, walk):
    vectors, _ = walk
    empty = corpora.sequence_set(
        vectors, np.empty((0, 5), np.int64), np.empty(0, np.int64), name="val"
    )
    with pytest.raises(DataError, match="no samples") as caught:
        check_direction(empty, NEEDS)
    assert caught.value.where == "val.npz"
    assert "six chunks" in caught.value.fix


def test_the_seed_decides_which_samples_are_drawn(corpora, walk):
    windows = corpora.windows_of(*walk)
    first = check_direction(windows, NEEDS, seed=3, max_samples=200)
    again = check_direction(windows, NEEDS, seed=3, max_samples=200)
    other = check_direction(windows, NEEDS, seed=4, max_samples=200)

    assert first == again
    assert first.samples == other.samples == 200
    assert first.coherence != other.coherence


def test_a_bank_in_half_precision_gives_the_same_verdict(corpora, walk):
    vectors, ids = walk
    single = check_direction(corpora.windows_of(vectors, ids), NEEDS)
    half = check_direction(corpora.windows_of(vectors.astype(np.float16), ids), NEEDS)

    assert half.kind == single.kind
    assert half.coherence == pytest.approx(single.coherence, abs=1e-3)


def test_the_json_holds_plain_numbers_only(corpora, walk):
    report = check_direction(corpora.windows_of(*walk), NEEDS)
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))

    assert list(document) == [
        "samples",
        "coherence",
        "position_to_target",
        "signal",
        "monotonic",
        "background",
        "kind",
        "checks",
        "passed",
        "words",
        "fix",
        "distribution",
    ]
    assert document["checks"][1] == {
        "name": "signal",
        "value": report.signal,
        "need": 0.08,
        "passed": True,
    }


def test_one_article_alone_has_no_background(corpora):
    report = check_direction(corpora.windows_of(*corpora.walking_articles(articles=1)), NEEDS)
    assert report.background is None
    assert json.loads(json.dumps(report.to_json()))["background"] is None


def test_the_rendering_marks_each_check_and_ends_with_the_remedy(corpora, walk):
    good = render_report(check_direction(corpora.windows_of(*walk), NEEDS))
    bad = render_report(check_direction(_rewired(corpora, walk, lambda rows: rows[:, ::-1]), NEEDS))

    assert good[0] == "direction: forward   (1,800 samples)"
    assert [line.split()[0] for line in good[1:4]] == ["✓", "✓", "✓"]
    assert [line.split()[0] for line in bad[1:4]] == ["✓", "✗", "✗"]
    assert sum(line.startswith("  → the articles run backwards") for line in bad) == 1
    assert not any("→" in line for line in good[5:])
    assert max(len(line) for line in bad) <= 80


def test_the_check_needs_no_torch():
    code = "import sys, lvm.quality.direction; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_distribution_counts_every_window_by_its_own_coherence(corpora, walk):
    report = check_direction(corpora.windows_of(*walk), NEEDS)

    assert len(report.distribution) == 20
    assert sum(report.distribution) == report.samples
    middle = sum(count * (at + 0.5) / 20 for at, count in enumerate(report.distribution))
    assert middle / report.samples == pytest.approx(report.coherence, abs=0.025)
