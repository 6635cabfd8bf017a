"""Targets are looked up where the file says they are, one before and one after; then placed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lvm.data.alignment import align
from lvm.data.importing import open_sequences
from lvm.data.placing import make_samples
from lvm.data.windows import windows
from lvm.errors import DataError


@pytest.fixture
def stored(make_bank, tmp_path):
    """Windows of a bank as a sequence file of their own; keywords replace arrays."""

    def make(lengths=(8, 40, 9, 300), dtype=np.float32, **change):
        bank = make_bank(lengths)
        made = windows(bank, None, "val")
        contexts, targets = made.gather(slice(None))
        arrays = {
            "contexts": contexts.astype(dtype),
            "targets": targets.astype(dtype),
            "article_ids": made.article_ids,
            "target_indices": made.target_indices,
        }
        arrays.update({key: edit(arrays[key]) for key, edit in change.items()})
        np.savez(tmp_path / "val.npz", **{k: a for k, a in arrays.items() if a is not None})
        return open_sequences(tmp_path / "val.npz", "val"), bank

    return make


def first(count, values):
    """An edit that replaces the first values of an array."""

    def edit(array):
        array = array.copy()
        array[:count] = values
        return array

    return edit


@pytest.mark.parametrize("shift", [-1, 0, 1])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_shift_is_found(stored, shift, dtype):
    sequences, bank = stored(dtype=dtype, target_indices=lambda indices: indices - shift)
    alignment = align(sequences, bank)
    assert (alignment.shift, alignment.matched, alignment.samples) == (shift, 1.0, 337)
    assert alignment.shares == {d: float(d == shift) for d in (-1, 0, 1)}


def test_the_words_say_the_shift(stored):
    sequences, bank = stored(target_indices=lambda indices: indices + 1)
    alignment = align(sequences, bank)
    assert alignment.words == "targets are at target_index − 1 (100.0% of 337 samples)"
    assert alignment.to_json()["shares"] == {"-1": 1.0, "0": 0.0, "+1": 0.0}


def test_the_shift_is_applied_when_samples_are_placed(stored):
    sequences, bank = stored(target_indices=lambda indices: indices + 1)
    samples = make_samples(sequences, bank, align(sequences, bank).shift)
    np.testing.assert_array_equal(samples.target_rows, windows(bank, None, "val").targets)
    np.testing.assert_array_equal(
        samples.vectors[samples.target_rows], sequences.gather(slice(None))[1]
    )
    assert samples.name == "VAL"
    assert samples.skipped == {}


def test_samples_know_the_rows_of_their_article(stored):
    sequences, bank = stored()
    samples = make_samples(sequences, bank, name="OOD")
    assert samples.name == "OOD"
    assert (samples.article_starts[0], samples.article_ends[0]) == (0, 8)
    assert (samples.article_starts[-1], samples.article_ends[-1]) == (57, 357)
    last = np.asarray(samples.context_vectors)[samples.contexts[:, -1]]
    np.testing.assert_array_equal(last, samples.vectors[samples.target_rows - 1])


def test_below_99_percent_the_file_is_refused_with_the_numbers(stored):
    sequences, bank = stored(target_indices=first(4, 2))
    with pytest.raises(DataError) as caught:
        align(sequences, bank)
    assert "d = -1: 0.0%, d = +0: 98.8%, d = +1: 0.0% of 337 samples" in caught.value.what
    assert "bank.npz" in caught.value.fix


def test_at_99_percent_the_rest_is_skipped_and_counted(stored):
    sequences, bank = stored(target_indices=first(3, [2, 99, -1]))
    alignment = align(sequences, bank)
    assert (alignment.shift, alignment.matched) == (0, 334 / 337)
    samples = make_samples(sequences, bank, 0)
    assert len(samples) == 334
    assert samples.skipped == {
        "target is not that chunk of its article": 1,
        "target outside its article": 2,
    }


def test_a_few_unknown_articles_are_skipped_and_counted(stored):
    sequences, bank = stored(article_ids=first(3, 999))
    assert align(sequences, bank).missing == 3
    samples = make_samples(sequences, bank)
    assert samples.skipped == {"article not in the bank": 3}


def test_many_unknown_articles_are_refused(stored):
    sequences, bank = stored(article_ids=first(4, [998, 999, 998, 5]))
    with pytest.raises(DataError, match=r"4 of 337 samples are of articles .*\(3 .* first is 5\)"):
        align(sequences, bank)


def test_no_usable_sample_is_an_error_never_a_pass(stored):
    sequences, bank = stored()
    with pytest.raises(DataError, match=r"no usable samples for 5CAT of 337 \(4: target outside"):
        make_samples(sequences, bank, shift=1)


def test_another_encoder_of_the_same_width_is_refused(stored):
    sequences, bank = stored(targets=lambda targets: np.roll(targets, 1, axis=1))
    with pytest.raises(DataError, match="99% are needed"):
        align(sequences, bank)


def test_another_width_is_refused_with_both_numbers(stored, make_bank):
    sequences, _ = stored()
    bank = make_bank(dim=24, name="wide.npz")
    for use in (align, make_samples):
        with pytest.raises(
            DataError, match=r"its vectors have 16 numbers, those of .*wide\.npz 24"
        ):
            use(sequences, bank)


@pytest.mark.parametrize("absent", ["article_ids", "target_indices"])
def test_without_indices_the_alignment_is_unknown_and_nothing_can_be_placed(stored, absent):
    sequences, bank = stored(**{absent: lambda array: None})
    alignment = align(sequences, bank)
    assert (alignment.known, alignment.matched, alignment.shift) == (False, None, 0)
    with pytest.raises(DataError, match=f"no {absent}: its samples cannot be placed"):
        make_samples(sequences, bank)


def test_a_look_at_some_samples_is_spread_over_all(stored):
    sequences, bank = stored(target_indices=lambda indices: indices - 1)
    alignment = align(sequences, bank, max_samples=50)
    assert (alignment.shift, alignment.matched, alignment.samples) == (1, 1.0, 50)


def test_windows_of_the_bank_itself_are_aligned(make_bank):
    bank = make_bank()
    made = windows(bank, None, "val")
    assert align(made, bank).shares == {0: 1.0, -1: 0.0, 1: 0.0}
    off = dataclasses.replace(made, target_indices=made.target_indices - 1)
    assert align(off, bank).shift == 1


def test_of_shifts_that_fit_alike_none_is_taken(stored):
    same = np.zeros((357, 16), np.float32)
    same[:, 0] = 1
    sequences, bank = stored()
    flat_bank = dataclasses.replace(bank, vectors=same)
    flat = dataclasses.replace(sequences, vectors=same[: len(sequences.vectors)])
    assert align(flat, flat_bank, 0).shift == 0
