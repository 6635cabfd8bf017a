"""Importing sequence files: distinct vectors once, everything gathered back, bad rows refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lvm.data.importing import open_sequences
from lvm.errors import DataError


def windows_of(vectors):
    rows = np.arange(len(vectors) - 5)[:, None] + np.arange(6)
    return vectors[rows[:, :5]], vectors[rows[:, 5]]


def manifest_of(path):
    return json.loads((path.parent / f"{path.name}.lvm-cache" / "manifest.json").read_text())


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_every_sample_comes_back_to_the_bit(sequence_file, units, compressed, dtype):
    contexts, targets = windows_of(units(20).astype(dtype))
    path = sequence_file(contexts=contexts, targets=targets, compressed=compressed)
    sequences = open_sequences(path, "train")
    got_contexts, got_targets = sequences.gather(slice(None))
    np.testing.assert_array_equal(got_contexts, contexts.astype(np.float32))
    np.testing.assert_array_equal(got_targets, targets.astype(np.float32))
    assert sequences.vectors.dtype == dtype
    assert (sequences.name, len(sequences), sequences.dim) == ("train", 15, 16)
    assert sequences.notes == ()


def test_overlapping_windows_share_their_vectors(sequence_file):
    sequences = open_sequences(sequence_file(), "train")
    assert sequences.vectors.shape == (20, 16)
    assert isinstance(sequences.vectors, np.memmap)
    np.testing.assert_array_equal(sequences.contexts[3], [3, 4, 5, 6, 7])
    # targets come after all contexts: only the last is new
    np.testing.assert_array_equal(sequences.targets, np.arange(5, 20))


def test_shuffled_samples_share_their_vectors_too(sequence_file, units):
    order = np.random.default_rng(0).permutation(15)
    contexts, targets = (part[order] for part in windows_of(units(20)))
    sequences = open_sequences(sequence_file(contexts=contexts, targets=targets), "train")
    assert len(sequences.vectors) == 20
    np.testing.assert_array_equal(sequences.gather([4])[0], contexts[[4]])
    np.testing.assert_array_equal(sequences.gather([4])[1], targets[[4]])


def test_many_blocks_give_what_one_block_gives(sequence_file, units):
    vectors = units(3000, dim=256)  # 15 MB of contexts: two blocks
    contexts, targets = windows_of(vectors)
    sequences = open_sequences(sequence_file(contexts=contexts, targets=targets), "train")
    assert len(sequences.vectors) == 3000
    np.testing.assert_array_equal(sequences.vectors, vectors)


def test_double_precision_is_kept_as_single(sequence_file, units):
    contexts, targets = windows_of(units(20).astype(np.float64))
    sequences = open_sequences(sequence_file(contexts=contexts, targets=targets), "train")
    assert sequences.vectors.dtype == np.float32
    np.testing.assert_array_equal(sequences.gather([0])[1], targets[:1].astype(np.float32))


def test_mixed_precision_loses_nothing(sequence_file, units):
    contexts, targets = windows_of(units(20))
    path = sequence_file(contexts=contexts.astype(np.float16), targets=targets)
    sequences = open_sequences(path, "train")
    assert sequences.vectors.dtype == np.float32
    np.testing.assert_array_equal(sequences.gather(slice(None))[1], targets)


def test_vectors_of_other_lengths_are_normalised_and_it_is_said(sequence_file, units):
    contexts, targets = windows_of(units(20))
    path = sequence_file(contexts=contexts * 3, targets=targets)
    sequences = open_sequences(path, "train")
    np.testing.assert_allclose(np.linalg.norm(sequences.vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(sequences.gather(slice(None))[0], contexts, atol=1e-6)
    normalised = manifest_of(path)["normalised"]
    assert normalised["rows"] == 19
    assert normalised["norm_max"] == pytest.approx(3, abs=1e-5)
    assert "19 of 34 vectors were not unit length (norms 1 to 3)" in sequences.notes[0]


def test_article_ids_and_target_indices_are_kept(sequence_file):
    ids, indices = np.arange(15) // 4, np.arange(15) % 4
    sequences = open_sequences(sequence_file(article_ids=ids, target_indices=indices), "val")
    np.testing.assert_array_equal(sequences.article_ids, ids)
    np.testing.assert_array_equal(sequences.target_indices, indices)


def test_without_them_they_are_none(sequence_file):
    sequences = open_sequences(sequence_file(), "train")
    assert sequences.article_ids is None
    assert sequences.target_indices is None


def test_an_optional_object_array_is_skipped_and_it_is_said(sequence_file):
    ids = np.array([1] * 14 + [None], object)
    sequences = open_sequences(sequence_file(article_ids=ids), "train")
    assert sequences.article_ids is None
    assert sequences.notes == ("article_ids was left out: an object array is never unpickled",)


def test_ids_of_another_number_are_refused(sequence_file):
    with pytest.raises(DataError, match=r"'article_ids' has shape \(14,\), but there are 15 rows"):
        open_sequences(sequence_file(article_ids=np.arange(14)), "train")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_bad_numbers_are_counted_and_the_first_row_named(sequence_file, units, value, dtype):
    contexts, targets = windows_of(units(20).astype(dtype))
    contexts = contexts.copy()
    contexts[[4, 7, 7, 9], [0, 1, 2, 4], 3] = value
    path = sequence_file(contexts=contexts, targets=targets)
    with pytest.raises(DataError) as caught:
        open_sequences(path, "train")
    assert "'contexts' has NaN or infinite values in 3 of 15 rows, the first is row 4" in str(
        caught.value
    )


def test_bad_targets_are_told_from_bad_contexts(sequence_file, units):
    _, targets = windows_of(units(20))
    targets = targets.copy()
    targets[-1] = np.nan
    with pytest.raises(DataError, match=r"'targets' has NaN .* 1 of 15 rows, the first is row 14"):
        open_sequences(sequence_file(targets=targets), "train")


def test_zero_vectors_are_refused(sequence_file, units):
    contexts, _ = windows_of(units(20))
    contexts = contexts.copy()
    contexts[5, 2] = 0
    with pytest.raises(DataError, match=r"'contexts' has zero vectors in 1 of 15 rows, .* row 5"):
        open_sequences(sequence_file(contexts=contexts), "train")


def test_huge_and_tiny_numbers_are_only_long_and_short(sequence_file, units):
    contexts, targets = windows_of(units(20).astype(np.float64))
    path = sequence_file(contexts=contexts * 1e200, targets=targets * 1e-5)
    got = open_sequences(path, "train").gather(slice(None))
    np.testing.assert_allclose(got[0], contexts, atol=1e-6)
    np.testing.assert_allclose(got[1], targets, atol=1e-6)


def test_bad_rows_leave_no_cache(sequence_file, tmp_path):
    path = sequence_file(targets=np.zeros((15, 16), np.float32))
    with pytest.raises(DataError, match="zero vectors in 15 of 15 rows"):
        open_sequences(path, "train")
    assert list(tmp_path.iterdir()) == [path]


def test_progress_ends_at_the_number_of_vectors(sequence_file):
    seen = []
    open_sequences(sequence_file(), "train", lambda *step: seen.append(step))
    assert seen[0] == ("importing train.npz", 0, 90)
    assert seen[-1] == ("importing train.npz", 90, 90)
