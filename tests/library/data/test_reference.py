"""The reference corpora: what is known of them must be true."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lvm.data.bank import open_bank
from lvm.data.reference import (
    KINDS,
    Reference,
    ReferenceKind,
    make_reference,
    read_splits,
    write_reference,
)
from lvm.errors import DataError, SettingsError


def window_starts(corpus: Reference) -> np.ndarray:
    ids = corpus.article_indices
    return np.flatnonzero(ids[5:] == ids[:-5])


def order(corpus: Reference, ids: range | None = None) -> tuple[float, list[float]]:
    """Coherence, and the mean cosine of each of the five positions to the target."""
    starts = window_starts(corpus)
    if ids is not None:
        starts = starts[np.isin(corpus.article_indices[starts], ids)]
    chunks = [corpus.vectors[starts + step] for step in range(6)]
    to_target = [float(np.mean(np.sum(chunk * chunks[5], axis=1))) for chunk in chunks[:5]]
    adjacent = [np.mean(np.sum(a * b, axis=1)) for a, b in pairwise(chunks[:5])]
    return float(np.mean(adjacent)), to_target


def ids(text: str) -> range:
    first, last = text.split("-")
    return range(int(first), int(last) + 1)


@pytest.mark.parametrize("seed", range(5))
def test_forward_passes_the_quality_checks_with_room(seed: int) -> None:
    coherence, to_target = order(make_reference("forward", seed=seed))

    assert coherence == pytest.approx(0.464, abs=0.003)
    assert to_target[4] - to_target[0] == pytest.approx(0.130, abs=0.003)
    assert to_target == sorted(to_target)


def test_the_cosine_of_two_chunks_falls_with_their_distance_as_the_formula_says() -> None:
    _, to_target = order(make_reference("forward", seed=1))

    expected = [0.33 + 0.33 * np.exp(-0.9 * steps) for steps in (5, 4, 3, 2, 1)]
    assert to_target == pytest.approx(expected, abs=0.004)


@pytest.mark.parametrize(("dim", "articles"), [(384, 200), (96, 100), (48, 40), (32, 40)])
def test_smaller_corpora_still_pass(dim: int, articles: int) -> None:
    coherence, to_target = order(make_reference("forward", dim=dim, articles=articles))

    assert coherence >= 0.45
    assert to_target[4] - to_target[0] >= 0.11
    assert to_target == sorted(to_target)


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 0.75])
def test_no_cosine_tells_a_weak_signal_from_a_strong_one(strength: float) -> None:
    weak = make_reference("forward", dim=384, strength=strength)
    strong = make_reference("forward", dim=384)

    for seen, expected in zip(order(weak), order(strong), strict=True):
        assert seen == pytest.approx(expected, abs=6e-3)


def test_a_blurred_corpus_passes_the_quality_checks_and_shows_its_state_less_clearly() -> None:
    plain, blurred = (make_reference("forward", dim=192, blurred=b) for b in (False, True))
    coherence, to_target = order(blurred)

    assert coherence == pytest.approx(0.22 + 0.5 * np.exp(-0.9), abs=0.01)
    assert to_target[4] - to_target[0] > 0.15
    assert to_target == sorted(to_target)
    assert five_over_one(blurred) > 2 * five_over_one(plain)


def five_over_one(corpus: Reference) -> float:
    """How much nearer to the target a linear map of all five contexts comes than of the last."""
    starts = window_starts(corpus)
    chunks = np.stack([corpus.vectors[starts + step] for step in range(6)], axis=1)
    train = corpus.article_indices[starts] < ids(corpus.val_articles)[0]

    def cosine(contexts: np.ndarray) -> float:
        flat = contexts.reshape(len(contexts), -1)
        gram = flat[train].T @ flat[train] + np.eye(flat.shape[1])
        predicted = flat[~train] @ np.linalg.solve(gram, flat[train].T @ chunks[train, 5])
        predicted /= np.linalg.norm(predicted, axis=1, keepdims=True)
        return float(np.mean(np.sum(predicted * chunks[~train, 5], axis=1)))

    return cosine(chunks[:, :5]) - cosine(chunks[:, 4:5])


def test_the_weaker_the_signal_the_less_of_the_next_chunk_can_be_foreseen() -> None:
    found = [
        margin(best_linear_step(made), made)
        for strength in (0.0, 0.25, 0.5, 0.75, 1.0)
        if (made := make_reference("forward", dim=192, strength=strength))
    ]

    assert found == sorted(found)
    assert abs(found[0]) < 0.02
    assert found[-1] > 0.15


def best_linear_step(corpus: Reference) -> np.ndarray:
    """Least squares from the last context to the target, on the training articles."""
    starts = window_starts(corpus)
    starts = starts[corpus.article_indices[starts] < ids(corpus.val_articles)[0]]
    last, target = corpus.vectors[starts + 4], corpus.vectors[starts + 5]
    return np.linalg.solve(last.T @ last + np.eye(last.shape[1]), last.T @ target)


def margin(step: np.ndarray, corpus: Reference) -> float:
    """cos to the next chunk of VAL articles − cos to the chunk before the last."""
    starts = window_starts(corpus)
    starts = starts[np.isin(corpus.article_indices[starts], ids(corpus.val_articles))]
    predicted = corpus.vectors[starts + 4] @ step
    predicted /= np.linalg.norm(predicted, axis=1, keepdims=True)
    to = [np.mean(np.sum(predicted * corpus.vectors[starts + i], axis=1)) for i in (3, 5)]
    return float(to[1] - to[0])


def test_reversed_turns_the_training_articles_round_and_no_others() -> None:
    forward = make_reference("forward", dim=48, articles=20, seed=3)
    backward = make_reference("reversed", dim=48, articles=20, seed=3)

    for article in range(20):
        rows = forward.article_indices == article
        turned = forward.vectors[rows][::-1] if article < 16 else forward.vectors[rows]
        np.testing.assert_array_equal(backward.vectors[rows], turned)


def test_no_cosine_tells_reversed_from_forward_but_it_teaches_the_backward_step() -> None:
    forward, backward = make_reference("forward"), make_reference("reversed")

    for seen, expected in zip(order(backward), order(forward), strict=True):
        assert seen == pytest.approx(expected, abs=1e-3)
    assert margin(best_linear_step(forward), forward) > 0.15
    assert margin(best_linear_step(backward), forward) < -0.15


def test_shuffled_has_the_chunks_of_each_article_but_no_direction() -> None:
    forward = make_reference("forward")
    shuffled = make_reference("shuffled")
    rows = forward.article_indices == 5
    coherence, to_target = order(shuffled)

    assert sorted(map(tuple, shuffled.vectors[rows])) == sorted(map(tuple, forward.vectors[rows]))
    assert coherence == pytest.approx(0.345, abs=0.005)
    assert abs(to_target[4] - to_target[0]) < 0.003


def test_flat_has_neither_coherence_nor_direction() -> None:
    coherence, to_target = order(make_reference("flat"))

    assert coherence < 0.10
    assert abs(to_target[4] - to_target[0]) < 0.003


def test_flat_mixes_chunks_only_within_a_split() -> None:
    forward = make_reference("forward", dim=48, articles=20)
    flat = make_reference("flat", dim=48, articles=20)

    for split in (range(16), ids(flat.val_articles), ids(flat.ood_articles)):
        rows = np.isin(flat.article_indices, split)
        assert sorted(map(tuple, flat.vectors[rows])) == sorted(map(tuple, forward.vectors[rows]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_well_formed_bank(kind: ReferenceKind) -> None:
    made = make_reference(kind, dim=48, articles=30, seed=2)
    lengths = np.bincount(made.article_indices)

    assert made.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made.vectors, axis=1), 1.0, atol=1e-6)
    assert len(lengths) == 30
    assert lengths.min() >= 14
    assert lengths.max() <= 40
    assert (np.diff(made.article_indices) >= 0).all()
    for article in range(30):
        of_article = made.chunk_indices[made.article_indices == article]
        np.testing.assert_array_equal(of_article, np.arange(lengths[article]))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first = make_reference("shuffled", dim=48, articles=10, seed=4)
    again = make_reference("shuffled", dim=48, articles=10, seed=4)
    other = make_reference("shuffled", dim=48, articles=10, seed=5)

    assert first.vectors.tobytes() == again.vectors.tobytes()
    assert first.vectors.tobytes() != other.vectors.tobytes()


def test_val_and_ood_are_the_last_two_tenths() -> None:
    made = make_reference("forward", dim=48, articles=40)

    assert (made.val_articles, made.ood_articles) == ("32-35", "36-39")


def test_ood_topics_lie_where_no_training_topic_lies_and_the_dynamics_are_the_same() -> None:
    made = make_reference("forward", dim=768, articles=800)
    in_ood = np.isin(made.article_indices, ids(made.ood_articles))
    in_val = np.isin(made.article_indices, ids(made.val_articles))
    seen = made.vectors[~in_ood & ~in_val].mean(axis=0)
    seen /= np.linalg.norm(seen)

    assert (made.vectors[in_val] @ seen).mean() > 0.15
    assert (made.vectors[in_ood] @ seen).mean() < -0.15
    for split in (made.val_articles, made.ood_articles):
        coherence, to_target = order(made, ids(split))
        assert coherence == pytest.approx(0.464, abs=0.01)
        assert to_target[4] - to_target[0] == pytest.approx(0.130, abs=0.01)


def test_the_written_bank_says_what_it_is(tmp_path: Path) -> None:
    path = write_reference("reversed", tmp_path / "new" / "r", dim=48, articles=20, seed=7)

    bank = open_bank(path)
    assert path == tmp_path / "new" / "r.npz"
    made = make_reference("reversed", dim=48, articles=20, seed=7)
    np.testing.assert_array_equal(bank.vectors, made.vectors)
    assert bank.article_name(3) == "reversed 3"
    assert json.loads((tmp_path / "new" / "r.reference.json").read_text()) == {
        "kind": "reversed",
        "dim": 48,
        "articles": 20,
        "chunks": len(made.vectors),
        "seed": 7,
        "strength": 1.0,
        "blurred": False,
        "val_articles": "16-17",
        "ood_articles": "18-19",
    }


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError) as caught:
        make_reference("sideways")  # type: ignore[arg-type]

    assert caught.value.what == "unknown reference corpus 'sideways'"
    assert caught.value.fix == "choose one of forward, reversed, shuffled, flat"


@pytest.mark.parametrize(
    ("name", "value"), [("dim", 31), ("articles", 9), ("strength", 1.5), ("strength", -0.1)]
)
def test_sizes_too_small_to_measure_on_are_refused(name: str, value: int) -> None:
    with pytest.raises(SettingsError, match=f"{name} = {value}"):
        make_reference("forward", **{name: value})


def test_the_splits_are_read_back_from_beside_the_bank(tmp_path: Path) -> None:
    bank = write_reference("forward", tmp_path / "small.npz", dim=32, articles=40)
    assert read_splits(bank) == ("32-35", "36-39")
    (tmp_path / "small.reference.json").write_text("{")
    with pytest.raises(DataError, match=r"small\.reference\.json"):
        read_splits(bank)
