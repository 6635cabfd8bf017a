"""Windows and splits: no window across two articles, no article in two splits."""

from __future__ import annotations

import numpy as np
import pytest

from lvm.data.windows import short_articles, split_articles, windows
from lvm.errors import DataError

LONG = (8,) * 40
"""Forty articles with ids 10 to 49."""


def test_an_article_of_n_chunks_gives_n_minus_five_windows(make_bank):
    bank = make_bank((8, 5, 9))
    everything = windows(bank, None, "train")
    assert len(everything) == 3 + 0 + 4
    assert everything.contexts[0].tolist() == [0, 1, 2, 3, 4]
    assert everything.targets.tolist() == [5, 6, 7, 18, 19, 20, 21]
    assert everything.article_ids.tolist() == [10] * 3 + [12] * 4
    assert everything.target_indices.tolist() == [5, 6, 7, 5, 6, 7, 8]
    assert everything.vectors is bank.vectors


def test_no_window_goes_across_two_articles(make_bank):
    bank = make_bank((8, 6, 5, 9, 30))
    found = windows(bank, None, "train")
    articles = bank.article_ids[np.column_stack([found.contexts, found.targets])]
    assert (articles == found.article_ids[:, None]).all()
    steps = np.diff(np.column_stack([found.contexts, found.targets]), axis=1)
    assert (steps == 1).all()


def test_windows_of_some_articles_are_only_of_those(make_bank):
    found = windows(make_bank((8, 5, 9)), [12], "val")
    assert set(found.article_ids) == {12}
    contexts, targets = found.gather([0])
    assert (contexts.shape, targets.shape) == ((1, 5, 16), (1, 16))
    np.testing.assert_array_equal(contexts[0], found.vectors[13:18])


def test_the_fingerprint_tells_articles_apart(make_bank):
    bank = make_bank((8, 5, 9))
    prints = [windows(bank, ids, "x").fingerprint for ids in ([10], [12], [10, 12], [12, 10])]
    assert len(set(prints)) == 3
    assert prints[2] == prints[3]


def test_an_unknown_article_is_an_error(make_bank):
    with pytest.raises(DataError, match="no article 77"):
        windows(make_bank(), [10, 77], "val")


def test_articles_too_short_for_any_window_are_an_error(make_bank):
    with pytest.raises(DataError, match="no windows for val: none of its 1 articles has 6 chunks"):
        windows(make_bank((8, 5, 9)), [11], "val")


def test_short_articles_are_counted(make_bank):
    bank = make_bank((8, 5, 6, 1))
    assert short_articles(bank, bank.articles) == 2


def test_ranges_include_both_ends(make_bank):
    split = split_articles(make_bank(LONG), val_articles="20-22", ood_articles="45 – 47")
    assert split["val"].tolist() == [20, 21, 22]
    assert split["ood"].tolist() == [45, 46, 47]
    assert len(split["train"]) == 34


def test_several_ranges_and_single_ids_can_be_given(make_bank):
    split = split_articles(make_bank(LONG), val_articles="20-21, 30", ood_articles="49")
    assert split["val"].tolist() == [20, 21, 30]
    assert split["ood"].tolist() == [49]


@pytest.mark.parametrize(
    "wanted", [{}, {"val_articles": "12-15"}, {"ood_articles": "12-15"}, {"val_fraction": 0.4}]
)
def test_every_article_is_in_exactly_one_split(make_bank, wanted):
    bank = make_bank((8, 3) * 20)
    split = split_articles(bank, **wanted)
    together = np.concatenate(list(split.values()))
    assert sorted(together) == bank.articles.tolist()


def test_fractions_are_of_the_articles_long_enough(make_bank):
    split = split_articles(make_bank((8, 3) * 20), val_fraction=0.2, ood_fraction=0.1)
    assert (len(split["val"]), len(split["ood"])) == (4, 2)
    assert (split["val"] % 2 == 0).all()  # the even ids are the long articles


def test_a_fraction_takes_at_least_one(make_bank):
    split = split_articles(make_bank((8,) * 3), val_fraction=0.01, ood_fraction=0.01)
    assert [len(ids) for ids in split.values()] == [1, 1, 1]


def test_the_seed_decides_the_split(make_bank):
    bank = make_bank(LONG)
    drawn = [split_articles(bank, seed=seed)["val"].tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("text", ["20-", "a-b", "22-20", "-5", "20..22", "20-22-24"])
def test_what_is_no_range_is_quoted(make_bank, text):
    with pytest.raises(DataError, match="is not a range of article ids") as caught:
        split_articles(make_bank(LONG), val_articles=text)
    assert f"val_articles = {text!r}" in caught.value.what


def test_a_range_without_articles_is_an_error(make_bank):
    with pytest.raises(DataError, match=r"'4000-4499' names none of the 40 articles") as caught:
        split_articles(make_bank(LONG), val_articles="4000-4499")
    assert caught.value.fix == "their ids go from 10 to 49"


@pytest.mark.parametrize("ood", ["22-25", "10-20", "21", "1-100", "30, 21-21"])
def test_overlapping_ranges_are_an_error(make_bank, ood):
    with pytest.raises(DataError, match="overlap from 2"):
        split_articles(make_bank(LONG), val_articles="20-22", ood_articles=ood)


def test_ranges_that_overlap_where_no_article_is_are_an_error_too(make_bank):
    with pytest.raises(DataError, match="overlap from 60 to 70"):
        split_articles(make_bank(LONG), val_articles="40-70", ood_articles="60-80, 20")


def test_too_few_articles_are_an_error(make_bank):
    with pytest.raises(DataError, match="no articles of 6 or more chunks are left for train"):
        split_articles(make_bank((8, 8, 3)))


def test_a_range_of_short_articles_is_an_error(make_bank):
    bank = make_bank((3, 3, 8, 8, 8))
    with pytest.raises(DataError, match="are left for val"):
        split_articles(bank, val_articles="10-11")
