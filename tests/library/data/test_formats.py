"""Reading .npz files: which keys count, what is refused, and that nothing is ever unpickled."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lvm.data.formats import CONTEXT_KEYS, TARGET_KEYS, open_npz, read_kind, sequence_members
from lvm.errors import DataError


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("key", CONTEXT_KEYS)
def test_every_dialect_of_contexts_is_found(sequence_file, key):
    contexts = np.zeros((4, 5, 8), np.float32)
    targets = np.zeros((4, 8), np.float32)
    path = sequence_file(**{"contexts": None, "targets": targets, key: contexts})
    assert sequence_members(open_npz(path)).contexts.key == key
    assert read_kind(path) == "sequences"


@pytest.mark.parametrize("key", TARGET_KEYS)
def test_every_dialect_of_targets_is_found(sequence_file, key):
    path = sequence_file(**{"targets": None, key: np.zeros((15, 16), np.float32)})
    assert sequence_members(open_npz(path)).targets.key == key


@pytest.mark.parametrize("vectors", ["vectors", "embeddings", "X"])
@pytest.mark.parametrize("articles", ["article_indices", "article_ids"])
def test_every_dialect_of_a_bank_is_a_bank(tmp_path, vectors, articles):
    np.savez(tmp_path / "b.npz", **{vectors: np.eye(3), articles: np.zeros(3, int)})
    assert read_kind(tmp_path / "b.npz") == "bank"


def test_the_first_key_of_the_list_wins(sequence_file):
    path = sequence_file(X=np.zeros((15, 5, 3), np.float32), y=np.zeros((15, 3), np.float32))
    members = sequence_members(open_npz(path))
    assert (members.contexts.key, members.targets.key) == ("contexts", "targets")


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
def test_rows_arrive_in_blocks_as_they_were_saved(sequence_file, compressed, dtype):
    values = np.random.default_rng(0).standard_normal((10, 5, 3)).astype(dtype)
    file = open_npz(sequence_file(contexts=values, compressed=compressed))
    blocks = list(file.iter_rows("contexts", 4))
    assert [len(block) for block in blocks] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(blocks), values)
    np.testing.assert_array_equal(file.read("contexts"), values)


def test_an_array_in_column_order_is_read_too(sequence_file):
    values = np.random.default_rng(0).standard_normal((10, 5, 3))
    file = open_npz(sequence_file(contexts=np.asfortranarray(values)))
    assert file.members["contexts"].fortran_order
    np.testing.assert_array_equal(np.concatenate(list(file.iter_rows("contexts", 4))), values)


def test_members_that_are_no_arrays_are_ignored(sequence_file):
    path = sequence_file()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("README.txt", "hello")
    assert set(open_npz(path).keys) == {"contexts", "targets"}


def test_an_object_array_is_listed_but_never_unpickled(sequence_file, tmp_path):
    sprung = tmp_path / "sprung"
    metadata = np.array([Trap(sprung)], object)
    file = open_npz(sequence_file(metadata=metadata))
    assert file.members["metadata"].needs_unpickling
    assert sequence_members(file).contexts.shape == (15, 5, 16)
    with pytest.raises(DataError, match="metadata"):
        list(file.iter_rows("metadata"))
    assert not sprung.exists()
    file.read_pickled("metadata")
    assert sprung.exists(), "the trap itself must work, or this test could not fail"


def test_an_object_array_that_is_needed_is_refused_by_name(sequence_file):
    path = sequence_file(targets=np.array([[1.0], None], object))
    with pytest.raises(DataError, match="key 'targets' holds the targets as an object array"):
        sequence_members(open_npz(path))


def test_missing_keys_list_those_found(sequence_file):
    path = sequence_file(targets=None, metadata=np.array([{}], object))
    with pytest.raises(DataError) as caught:
        sequence_members(open_npz(path))
    assert caught.value.where == str(path)
    assert "looked for targets, target, y, target_vectors" in caught.value.what
    assert "contexts (15, 5, 16) float32, metadata (1,) object" in caught.value.what


def test_a_bank_given_as_sequences_is_recognised(bank_file):
    with pytest.raises(DataError, match="looks like an article bank"):
        sequence_members(open_npz(bank_file()))


def test_a_file_of_neither_kind_says_what_it_lacks(tmp_path):
    np.savez(tmp_path / "x.npz", weights=np.zeros(3))
    with pytest.raises(DataError, match=r"no key for the vectors.*found weights \(3,\) float64"):
        read_kind(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("contexts", "targets", "message"),
    [
        ((9, 16), (9, 16), r"'contexts' has shape \(9, 16\)"),
        ((9, 4, 16), (9, 16), r"'contexts' has shape \(9, 4, 16\)"),
        ((9, 5, 16), (9, 8), r"'targets' has shape \(9, 8\), key 'contexts' \(9, 5, 16\)"),
        ((9, 5, 16), (9, 1, 16), r"'targets' has shape \(9, 1, 16\)"),
        ((9, 5, 16), (7, 16), "'contexts' has 9 samples, key 'targets' has 7"),
        ((0, 5, 16), (0, 16), "'contexts' is empty"),
        ((9, 5, 0), (9, 0), r"'contexts' has shape \(9, 5, 0\)"),
    ],
)
def test_wrong_shapes_are_named(sequence_file, contexts, targets, message):
    path = sequence_file(
        contexts=np.zeros(contexts, np.float32), targets=np.zeros(targets, np.float32)
    )
    with pytest.raises(DataError, match=message):
        sequence_members(open_npz(path))


def test_vectors_of_whole_numbers_are_refused(sequence_file):
    with pytest.raises(DataError, match="'contexts' has dtype int64"):
        sequence_members(open_npz(sequence_file(contexts=np.zeros((15, 5, 16), int))))


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        open_npz(tmp_path / "nothing.npz")


def test_a_folder_is_an_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        open_npz(tmp_path)


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.99])
def test_a_truncated_file_is_called_cut_off(sequence_file, kept):
    path = sequence_file()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(DataError, match="cut off"):
        open_npz(path)


def test_what_is_no_zip_is_told_so(tmp_path):
    (tmp_path / "a.npz").write_text("hello")
    with pytest.raises(DataError, match=r"not an \.npz: 5 bytes"):
        open_npz(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"not an \.npz: 0 bytes"):
        open_npz(tmp_path / "b.npz")


def test_a_single_npy_is_told_from_an_npz(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"a single \.npy array"):
        open_npz(tmp_path / "a.npy")


@pytest.mark.parametrize("compressed", [True, False])
def test_a_flipped_bit_is_found(sequence_file, compressed):
    path = sequence_file(compressed=compressed)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 64
    path.write_bytes(data)
    with pytest.raises(DataError, match="key 'contexts' cannot be read"):
        list(open_npz(path).iter_rows("contexts"))


def write_lie(path, announced, sizes):
    """A member of (4, 3) numbers whose header, and at will the zip's directory, says otherwise."""
    np.save(path.with_suffix(".npy"), np.zeros((4, 3), np.float32))
    data = path.with_suffix(".npy").read_bytes().replace(b"(4, 3)", b"(%d, 3)" % announced)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", data)
    if sizes:
        packed = bytearray(path.read_bytes())
        size = packed.index(b"PK\x01\x02") + 24
        told = len(data) + (announced - 4) * 12
        packed[size : size + 4] = told.to_bytes(4, "little")
        path.write_bytes(packed)


@pytest.mark.parametrize("announced", [2, 9])
def test_a_header_that_lies_about_its_rows_is_found_at_once(tmp_path, announced):
    write_lie(tmp_path / "a.npz", announced, sizes=False)
    with pytest.raises(DataError, match=rf"key a \({announced}, 3\) float32 needs"):
        open_npz(tmp_path / "a.npz")


def test_a_directory_that_lies_too_is_found_when_rows_are_read(tmp_path):
    write_lie(tmp_path / "a.npz", 9, sizes=True)
    with pytest.raises(DataError, match="ends too early"):
        list(open_npz(tmp_path / "a.npz").iter_rows("a"))


def test_a_member_with_a_broken_header_is_a_damaged_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", b"no header")
    with pytest.raises(DataError, match=r"a damaged \.npz"):
        open_npz(tmp_path / "a.npz")


def test_whole_numbers_saved_as_floats_are_read(sequence_file):
    file = open_npz(sequence_file(article_ids=np.arange(15.0)))
    np.testing.assert_array_equal(file.read_integers("article_ids", 15), np.arange(15))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full(15, 0.5), "not whole numbers"),
        (np.full(15, np.nan), "not whole numbers"),
        (np.full(15, "x"), "dtype <U1"),
        (np.zeros(14, int), r"has shape \(14,\), but there are 15 rows"),
    ],
)
def test_numbers_that_are_none_are_refused(sequence_file, values, message):
    file = open_npz(sequence_file(article_ids=values))
    with pytest.raises(DataError, match=message):
        file.read_integers("article_ids", 15)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(DataError, match="a pipe, not a file"):
        open_npz(tmp_path / "pipe.npz")


def test_a_name_that_no_file_can_have_is_an_error_of_ours(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        open_npz(tmp_path / ("x" * 5000))
