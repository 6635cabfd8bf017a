"""What the headers of a run's files tell, before anything is imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lvm.data.preflight import check_data, check_files
from lvm.data.sources import open_corpus, open_test_data
from lvm.errors import DataError
from lvm.settings import DataSettings

Write = Callable[..., Path]

FOUR = DataSettings(train="train.npz", val="val.npz", ood="ood.npz", articles="bank.npz")


@pytest.fixture
def four(sequence_file: Write, bank_file: Write, tmp_path: Path) -> Write:
    """Writes all four files; keywords change the arrays of one."""
    bank_file()

    def write(name: str, **arrays: object) -> Path:
        places = {"article_ids": np.full(15, 10), "target_indices": np.arange(15)}
        return sequence_file(f"{name}.npz", **{**places, **arrays})

    for name in ("train", "val", "ood"):
        write(name)
    return write


def refused(data: DataSettings, root: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        check_data(data, root=root)
    assert not list(root.glob("*.lvm-cache")), "nothing was imported"
    return caught.value


def test_good_files_pass_and_nothing_is_written(four: Write, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    check_data(FOUR, root=tmp_path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["train", "val", "ood", "articles"])
def test_a_file_that_is_missing_is_named(four: Write, tmp_path: Path, name: str) -> None:
    error = refused(FOUR.changed(**{name: "nope.npz"}), tmp_path)
    assert (error.what, error.where) == ("no such file", str(tmp_path / "nope.npz"))


def test_every_file_that_cannot_be_used_is_named(four: Write, tmp_path: Path) -> None:
    (tmp_path / "train.npz").write_bytes((tmp_path / "train.npz").read_bytes()[:-40])
    error = refused(FOUR.changed(val="a.npz", ood="b.npz"), tmp_path)
    for words in ("3 files", "train.npz: cut off", "a.npz: no such file", "b.npz: no such file"):
        assert words in error.what


def test_a_file_of_the_other_kind_is_told_its_place(four: Write, tmp_path: Path) -> None:
    error = refused(FOUR.changed(val="bank.npz"), tmp_path)
    assert "is an article bank, but val takes sequences" in error.what
    error = refused(DataSettings(bank="train.npz"), tmp_path)
    assert "is a file of sequences, not an article bank" in error.what
    assert "--train" in error.fix


def test_other_widths_are_told(four: Write, bank_file: Write, tmp_path: Path) -> None:
    bank_file(name="wide.npz", dim=24)
    error = refused(FOUR.changed(articles="wide.npz"), tmp_path)
    assert error.what.startswith("3 files")
    assert "its vectors have 16 numbers, those of" in error.what


@pytest.mark.parametrize("key", ["article_ids", "target_indices"])
def test_what_5cat_could_not_place_is_refused(four: Write, tmp_path: Path, key: str) -> None:
    four("ood", **{key: None})
    assert refused(FOUR, tmp_path).what.startswith(f"no {key}: ")
    four("train", **{key: None})
    four("ood")
    check_files(FOUR, root=tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"val_articles": "abc"}, "is not a range of article ids"),
        ({"val_articles": "900-999"}, "val_articles = '900-999'"),
        ({"val_articles": "10-20"}, "are left for"),
    ],
)
def test_a_split_that_a_bank_cannot_give_is_refused(
    bank_file: Write, tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    bank_file((8,) * 6)
    check_data(DataSettings(bank="bank.npz"), root=tmp_path)
    assert words in refused(DataSettings(bank="bank.npz", **changes), tmp_path).what


def test_nothing_is_imported_for_a_run_that_lacks_a_file(four: Write, tmp_path: Path) -> None:
    data = FOUR.changed(ood="nope.npz", val="neither.npz")
    for opening in (open_corpus, open_test_data):
        with pytest.raises(DataError, match=r"neither\.npz.*nope\.npz"):
            opening(data, root=tmp_path, seed=0)
    assert not list(tmp_path.glob("*.lvm-cache"))
