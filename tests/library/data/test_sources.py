"""A run's data from its settings: one bank, or three sequence files and their articles."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lvm.data.bank import open_bank
from lvm.data.reference import write_reference
from lvm.data.sources import open_corpus
from lvm.data.windows import windows
from lvm.errors import DataError
from lvm.settings import DataSettings

FOUR = DataSettings(train="train.npz", val="val.npz", ood="ood.npz", articles="bank.npz")
SPLITS = {"train": range(20, 30), "val": range(10, 15), "ood": range(15, 20)}


@pytest.fixture
def four_files(bank_file, tmp_path):
    """Writes the bank and the three files; keywords edit the arrays of a split."""

    def write(**edits):
        bank = open_bank(bank_file((12,) * 20))
        for split, ids in SPLITS.items():
            made = windows(bank, list(ids), split)
            contexts, targets = made.gather(slice(None))
            arrays = {
                "contexts": contexts,
                "targets": targets,
                "article_ids": made.article_ids,
                "target_indices": made.target_indices,
            }
            arrays.update(edits.get(split, lambda arrays: {})(arrays))
            kept = {key: array for key, array in arrays.items() if array is not None}
            np.savez(tmp_path / f"{split}.npz", **kept)

    return write


def without_indices(arrays):
    return {"article_ids": None, "target_indices": None}


def test_a_bank_alone_makes_all_of_it(bank_file, tmp_path):
    bank_file((12,) * 20)
    data = DataSettings(bank="bank.npz", val_articles="10-14", ood_articles="15-19")
    corpus = open_corpus(data, root=tmp_path, seed=0)
    assert corpus.samples == {"train": 70, "val": 35, "ood": 35}
    assert set(corpus.val.article_ids) == set(SPLITS["val"])
    assert set(corpus.ood.article_ids) == set(SPLITS["ood"])
    assert set(corpus.train.article_ids) == set(SPLITS["train"])
    assert (corpus.val_samples.name, corpus.ood_samples.name) == ("VAL", "OOD")
    np.testing.assert_array_equal(corpus.val_samples.target_rows, corpus.val.targets)
    assert (corpus.dim, corpus.articles, corpus.source) == (16, 20, "bank bank.npz")
    assert corpus.alignment["val"]["matched"] == 1.0
    assert corpus.notes == ()
    json.dumps(corpus.alignment)


def test_a_reference_corpus_has_a_split_of_its_own(tmp_path):
    bank = write_reference("reversed", tmp_path / "r", dim=32, articles=20)
    corpus = open_corpus(DataSettings(bank="r.npz"), root=tmp_path, seed=0)
    assert (set(corpus.val.article_ids), set(corpus.ood.article_ids)) == ({16, 17}, {18, 19})
    assert corpus.notes == (
        "reversed reference corpus, with its own split: VAL 16-17, OOD 18-19; only training runs "
        "backward, which no cosine between chunks can show",
    )
    ranges = {"val_articles": "0-3", "ood_articles": "4-7"}
    other = open_corpus(DataSettings(bank="r.npz", **ranges), root=tmp_path, seed=0)
    assert set(other.val.article_ids) == {0, 1, 2, 3}
    assert other.notes == ()
    bank.with_name("r.reference.json").unlink()
    assert open_corpus(DataSettings(bank="r.npz"), root=tmp_path, seed=0).notes == ()


def test_a_bank_that_was_written_over_a_reference_corpus_has_not_its_split(tmp_path):
    write_reference("forward", tmp_path / "r", dim=32, articles=20)
    write_reference("forward", tmp_path / "other", dim=32, articles=21)
    (tmp_path / "other.npz").replace(tmp_path / "r.npz")
    corpus = open_corpus(DataSettings(bank="r.npz"), root=tmp_path, seed=0)
    assert corpus.notes == ("r.reference.json is of another corpus: not used",)
    assert set(corpus.val.article_ids) != {16, 17}


def test_four_files_give_what_their_bank_gives(four_files, tmp_path):
    four_files()
    corpus = open_corpus(FOUR, root=tmp_path, seed=0)
    data = DataSettings(bank="bank.npz", val_articles="10-14", ood_articles="15-19")
    same = open_corpus(data, root=tmp_path, seed=0)
    assert corpus.samples == same.samples
    for one, other in (
        (corpus.val_samples, same.val_samples),
        (corpus.ood_samples, same.ood_samples),
    ):
        np.testing.assert_array_equal(one.target_rows, other.target_rows)
        np.testing.assert_array_equal(one.article_starts, other.article_starts)
        np.testing.assert_array_equal(
            one.context_vectors[one.contexts], other.context_vectors[other.contexts]
        )
    np.testing.assert_array_equal(corpus.train.gather([5])[0], same.train.gather([5])[0])


def test_an_index_off_by_one_is_shifted_and_said(four_files, tmp_path):
    four_files(ood=lambda arrays: {"target_indices": arrays["target_indices"] + 1})
    corpus = open_corpus(FOUR, root=tmp_path, seed=0)
    assert [corpus.alignment[split]["shift"] for split in SPLITS] == [0, 0, -1]
    assert corpus.notes == ("ood: targets are at target_index − 1 (100.0% of 35 samples)",)
    targets = corpus.ood.gather(slice(None))[1]
    np.testing.assert_array_equal(
        corpus.ood_samples.vectors[corpus.ood_samples.target_rows], targets
    )


def test_training_data_without_indices_is_fine_and_said(four_files, tmp_path):
    four_files(train=without_indices)
    corpus = open_corpus(FOUR, root=tmp_path, seed=0)
    assert corpus.alignment["train"]["known"] is False
    assert corpus.notes[0].startswith("train: alignment unknown")


@pytest.mark.parametrize("split", ["val", "ood"])
def test_test_data_without_indices_is_refused(four_files, tmp_path, split):
    four_files(**{split: without_indices})
    with pytest.raises(DataError, match="no article_ids and no target_indices") as caught:
        open_corpus(FOUR, root=tmp_path, seed=0)
    assert caught.value.where == str(tmp_path / f"{split}.npz")


@pytest.mark.parametrize("split", ["train", "val", "ood"])
def test_a_split_of_other_articles_is_refused(four_files, tmp_path, split):
    four_files(**{split: lambda arrays: {"article_ids": arrays["article_ids"] + 5000}})
    with pytest.raises(DataError, match="of articles that the bank does not have"):
        open_corpus(FOUR, root=tmp_path, seed=0)


def test_an_article_in_two_files_is_said(four_files, tmp_path):
    four_files()
    (tmp_path / "ood.npz").write_bytes((tmp_path / "val.npz").read_bytes())
    corpus = open_corpus(FOUR, root=tmp_path, seed=0)
    assert corpus.notes == ("5 articles are in both val and ood (first: 10)",)


def test_another_width_is_refused(four_files, tmp_path):
    four_files(
        train=lambda arrays: {
            "contexts": arrays["contexts"][:, :, :8],
            "targets": arrays["targets"][:, :8],
        }
    )
    with pytest.raises(DataError, match=r"its vectors have 8 numbers, those of .*bank\.npz 16"):
        open_corpus(FOUR, root=tmp_path, seed=0)


def test_what_an_import_changed_is_noted_with_its_file(four_files, tmp_path):
    four_files(val=lambda arrays: {"contexts": arrays["contexts"] * 2})
    notes = open_corpus(FOUR, root=tmp_path, seed=0).notes
    assert len(notes) == 1
    assert notes[0].startswith("val.npz: 55 of 90 vectors were not unit length")


def test_short_articles_are_noted(bank_file, tmp_path):
    bank_file((12, 3) * 10)
    corpus = open_corpus(DataSettings(bank="bank.npz"), root=tmp_path, seed=0)
    assert corpus.notes == ("10 of 20 articles have fewer than 6 chunks: no windows",)


def test_the_fingerprint_changes_with_data_and_split_only(bank_file, tmp_path):
    bank_file((12,) * 20)
    bank_file((12,) * 21, name="other.npz")
    data = DataSettings(bank="bank.npz")
    seen = [
        open_corpus(settings, root=tmp_path, seed=seed).fingerprint
        for settings, seed in (
            (data, 0),
            (data, 0),
            (data, 1),
            (data.changed(val_fraction=0.2), 0),
            (data.changed(bank="other.npz"), 0),
        )
    ]
    assert seen[0] == seen[1]
    assert len(set(seen)) == 4


def test_absolute_paths_do_not_depend_on_the_root(bank_file, tmp_path):
    path = bank_file((12,) * 20)
    corpus = open_corpus(DataSettings(bank=str(path)), root=tmp_path / "elsewhere", seed=0)
    assert corpus.articles == 20


def test_settings_without_data_are_an_error(tmp_path):
    with pytest.raises(DataError, match="data is not complete: given train, articles"):
        open_corpus(DataSettings(train="a.npz", articles="b.npz"), root=tmp_path, seed=0)


def test_a_sequence_file_given_as_a_bank_is_recognised(four_files, tmp_path):
    four_files()
    with pytest.raises(DataError, match="is a file of sequences, not an article bank"):
        open_corpus(DataSettings(bank="train.npz"), root=tmp_path, seed=0)
