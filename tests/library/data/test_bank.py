"""Article banks: the interchange file, the other dialects, order, texts, names, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lvm.data.bank import open_bank, write_bank_npz
from lvm.errors import DataError


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def save(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def test_what_is_written_is_what_is_opened(tmp_path, units):
    path = tmp_path / "bank.npz"
    texts = ["one", "", "dreißig – 三十"]
    write_bank_npz(path, units(3), [7, 7, 9], [0, 1, 0], texts, ["seven", "nine"])
    bank = open_bank(path)
    np.testing.assert_array_equal(bank.vectors, units(3))
    assert isinstance(bank.vectors, np.memmap)
    assert bank.article_ids.tolist() == [7, 7, 9]
    assert bank.article_starts.tolist() == [0, 2, 3]
    assert bank.chunk_indices.tolist() == [0, 1, 0]
    assert [bank.text(row) for row in range(3)] == texts
    assert bank.has_texts
    assert (bank.article_name(7), bank.article_name(9)) == ("seven", "nine")
    assert bank.notes == ()
    assert (len(bank), bank.dim) == (3, 16)


def test_the_interchange_file_needs_no_unpickling_and_has_the_agreed_keys(tmp_path, units):
    path = tmp_path / "bank.npz"
    write_bank_npz(path, units(2).astype(np.float16), [0, 0], [0, 1], ["a", "b"], ["A"])
    with np.load(path, allow_pickle=False) as file:
        found = {key: (file[key].dtype, file[key].shape) for key in file}
    assert found == {
        "vectors": (np.dtype(np.float16), (2, 16)),
        "article_indices": (np.dtype(np.int64), (2,)),
        "chunk_indices": (np.dtype(np.int32), (2,)),
        "text_utf8": (np.dtype(np.uint8), (2,)),
        "text_offsets": (np.dtype(np.int64), (3,)),
        "article_names": (np.dtype("<U1"), (1,)),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"article_indices": [0]}, r"article_indices has shape \(1,\)"),
        ({"chunk_indices": [0, 1, 2]}, r"chunk_indices has shape \(3,\)"),
        ({"texts": ["a"]}, r"text_offsets has shape \(2,\)"),
        ({"article_names": ["a", "b"]}, r"article_names has shape \(2,\)"),
        ({"vectors": np.zeros(2)}, r"vectors of shape \(2,\)"),
    ],
)
def test_a_bank_of_parts_that_do_not_fit_is_not_written(tmp_path, units, change, message):
    parts = {"vectors": units(2), "article_indices": [0, 0], "chunk_indices": [0, 1]}
    with pytest.raises(DataError, match=message):
        write_bank_npz(tmp_path / "bank.npz", **{**parts, **change})
    assert list(tmp_path.iterdir()) == []


def test_rows_and_articles_find_one_another(make_bank):
    bank = make_bank((8, 5, 9))
    assert bank.articles.tolist() == [10, 11, 12]
    assert bank.lengths.tolist() == [8, 5, 9]
    assert bank.rows_of(11) == range(8, 13)
    assert bank.article_of_row(12) == 11
    assert bank.numbers_of([12, 9, 10, 13]).tolist() == [2, -1, 0, -1]
    assert bank.article_name(11) == "article 11"
    assert bank.text(0) is None
    with pytest.raises(DataError, match=r"no article 99(.|\n)*ids from 10 to 12"):
        bank.rows_of(99)


def test_unsorted_rows_are_sorted_by_article_then_chunk_with_their_texts(tmp_path, units):
    vectors = units(6)
    path = tmp_path / "bank.npz"
    write_bank_npz(path, vectors, [5, 3, 5, 3, 3, 5], [2, 9, 0, 4, 7, 1], list("abcdef"))
    bank = open_bank(path)
    order = [3, 4, 1, 2, 5, 0]
    np.testing.assert_array_equal(bank.vectors, vectors[order])
    assert bank.article_ids.tolist() == [3, 3, 3, 5, 5, 5]
    assert bank.chunk_indices.tolist() == [4, 7, 9, 0, 1, 2]
    assert "".join(bank.text(row) for row in range(6)) == "debcfa"
    assert bank.notes == ("its rows were not in order: sorted by article, then by chunk",)


def test_sorting_works_across_blocks(tmp_path, units):
    vectors = units(5000, dim=512)  # two blocks
    order = np.random.default_rng(0).permutation(5000)
    path = save(
        tmp_path / "b.npz", X=vectors[order], article_ids=order // 10, seq_idx=(order % 10) + 1
    )
    bank = open_bank(path)
    np.testing.assert_array_equal(bank.vectors, vectors)
    assert bank.chunk_indices[:12].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2]


def test_without_chunk_numbers_file_order_counts_and_it_is_said(tmp_path, units):
    path = save(tmp_path / "b.npz", embeddings=units(5), article_ids=[2, 1, 2, 1, 2])
    bank = open_bank(path)
    np.testing.assert_array_equal(bank.vectors, units(5)[[1, 3, 0, 2, 4]])
    assert bank.chunk_indices.tolist() == [0, 1, 0, 1, 2]
    assert bank.notes[0] == "no chunk_indices: the chunks of an article are taken in file order"


@pytest.mark.parametrize(
    ("dtype", "kept"), [("f2", "f2"), ("f4", "f4"), ("f8", "f4"), (">f4", "f4")]
)
def test_half_precision_is_kept_and_double_becomes_single(tmp_path, units, dtype, kept):
    path = save(tmp_path / "b.npz", vectors=units(4).astype(dtype), article_ids=[0] * 4)
    bank = open_bank(path)
    assert bank.vectors.dtype == np.dtype(kept)
    np.testing.assert_array_equal(bank.vectors, units(4).astype(dtype).astype(kept))


def test_rounding_alone_does_not_change_half_precision(tmp_path, units):
    vectors = units(200).astype(np.float16)
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    assert np.abs(norms - 1).max() > 1e-5  # else this test would show nothing
    bank = open_bank(save(tmp_path / "b.npz", vectors=vectors, article_ids=[0] * 200))
    np.testing.assert_array_equal(bank.vectors, vectors)


def test_other_lengths_are_normalised_and_it_is_said(tmp_path, units):
    vectors = units(4) * np.array([[1], [2], [1], [0.5]], np.float32)
    bank = open_bank(save(tmp_path / "b.npz", vectors=vectors, article_ids=[0] * 4))
    np.testing.assert_allclose(bank.vectors, units(4), atol=1e-6)
    assert bank.notes[0].startswith("2 of 4 vectors were not unit length (norms 0.5 to 2)")


@pytest.mark.parametrize("key", ["texts", "concept_texts", "chunk_texts"])
def test_plain_strings_are_read_as_texts(tmp_path, units, key):
    texts = np.array(["eins", "zwei", "dreißig"])
    path = save(tmp_path / "b.npz", vectors=units(3), article_ids=[1, 0, 0], **{key: texts})
    assert [open_bank(path).text(row) for row in range(3)] == ["zwei", "dreißig", "eins"]


def test_pickled_texts_are_left_out_and_it_is_said(tmp_path, units):
    sprung = tmp_path / "sprung"
    texts = np.array([Trap(sprung), "two"], object)
    path = save(tmp_path / "b.npz", vectors=units(2), article_ids=[0, 0], concept_texts=texts)
    bank = open_bank(path)
    assert not bank.has_texts
    assert not sprung.exists()
    assert "concept_texts is an object array" in bank.notes[-1]


def test_pickled_texts_are_read_from_a_trusted_file_even_after_an_import_without(tmp_path, units):
    texts = np.array(["one", None], object)
    path = save(tmp_path / "b.npz", vectors=units(2), article_ids=[0, 0], concept_texts=texts)
    assert open_bank(path).text(0) is None
    bank = open_bank(path, trust_pickles=True)
    assert [bank.text(0), bank.text(1)] == ["one", ""]
    assert open_bank(path).text(0) == "one"  # what was imported with trust stays


def test_names_may_be_given_for_every_id_from_zero(tmp_path, units):
    names = np.array(["zero", "one", "two", "three"])
    path = save(tmp_path / "b.npz", vectors=units(2), article_ids=[1, 3], article_names=names)
    bank = open_bank(path)
    assert (bank.article_name(1), bank.article_name(3)) == ("one", "three")


def write_bad(tmp_path, units, **change):
    arrays = {
        "vectors": units(4),
        "article_indices": np.array([0, 0, 1, 1]),
        "chunk_indices": np.array([0, 1, 0, 1]),
        **change,
    }
    return save(tmp_path / "b.npz", **{key: a for key, a in arrays.items() if a is not None})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": None}, "no key for the vectors: looked for vectors, embeddings, X; found art"),
        ({"article_indices": None}, "no key for the articles"),
        ({"vectors": np.ones((4, 5, 3))}, r"'vectors' has shape \(4, 5, 3\)"),
        ({"vectors": np.ones(4)}, r"'vectors' has shape \(4,\)"),
        ({"vectors": np.ones((0, 3))}, "'vectors' is empty"),
        ({"vectors": np.ones((4, 0))}, r"'vectors' has shape \(4, 0\)"),
        ({"vectors": np.ones((4, 3), int)}, "'vectors' has dtype int64"),
        ({"article_indices": np.zeros(3, int)}, r"'article_indices' has shape \(3,\), key 'vecto"),
        ({"chunk_indices": np.zeros(5, int)}, r"'chunk_indices' has shape \(5,\)"),
        ({"chunk_indices": np.array([0, 1, 3, 3])}, "rows 2 and 3 are both chunk 3 of article 1"),
        ({"chunk_indices": np.array([0, 1, 2, 2**40])}, "numbers beyond 2³¹"),
        ({"article_indices": np.array(list("abcd"))}, "'article_indices' has dtype <U1"),
        ({"article_indices": np.array([0, 0, 1, None])}, "'article_indices' holds the articles as"),
        ({"texts": np.array(["a"])}, r"'texts' has shape \(1,\), but there are 4 vectors"),
        ({"article_names": np.array(["a"])}, "'article_names' has 1 names, but there are 2 art"),
        ({"article_names": np.array([1, 2])}, "is no list of names"),
        (
            {"text_utf8": np.zeros(3, np.uint8), "text_offsets": np.array([0, 1, 2, 3, 4])},
            "'text_offsets' does not fit the 3 bytes",
        ),
        (
            {"text_utf8": np.zeros(9, np.uint8), "text_offsets": np.array([0, 5, 2, 3, 4])},
            "'text_offsets' does not fit",
        ),
    ],
)
def test_bad_banks_are_refused_and_leave_nothing(tmp_path, units, change, message):
    path = write_bad(tmp_path, units, **change)
    with pytest.raises(DataError, match=message) as caught:
        open_bank(path)
    assert caught.value.where == str(path)
    assert list(tmp_path.iterdir()) == [path]


def test_bad_numbers_in_a_bank_are_counted_with_the_row_of_the_file(tmp_path, units):
    vectors = units(4)
    vectors[[1, 3], 0] = np.nan, np.inf
    path = write_bad(tmp_path, units, vectors=vectors, article_indices=np.array([9, 8, 7, 6]))
    with pytest.raises(
        DataError, match="NaN or infinite values in 2 of 4 rows, the first is row 1"
    ):
        open_bank(path)
    vectors = units(4)
    vectors[2] = 0
    with pytest.raises(DataError, match="zero vectors in 1 of 4 rows, the first is row 2"):
        open_bank(write_bad(tmp_path, units, vectors=vectors))


def test_reopening_a_bank_imports_nothing(bank_file):
    path = bank_file((600,) * 40, dim=64)  # 6 MB
    steps = []
    first = open_bank(path, lambda *step: steps.append(step))
    assert steps[-1] == ("importing bank.npz", 24_000, 24_000)
    again = open_bank(path, lambda *step: pytest.fail(f"imported again: {step}"))
    assert again.fingerprint == first.fingerprint
    manifest = json.loads((first.folder / "manifest.json").read_text())
    assert (manifest["rows"], manifest["articles"], manifest["dtype"]) == (24_000, 40, "float32")
