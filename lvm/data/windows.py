"""From a bank alone: the windows of its articles, and which article is in which split."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lvm.data.bank import VectorBank
from lvm.data.sequences import SequenceSet
from lvm.errors import DataError
from lvm.settings import CONTEXT_LENGTH

WINDOW = CONTEXT_LENGTH + 1
"""Chunks that one sample takes: five contexts and the target."""

_SPLIT = 3
"""Keeps the random stream of the split apart from those of training (1, 2) with the same seed."""

# A hyphen, or the dash that people paste from a text.
_RANGE = re.compile(r"\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?")


def windows(
    bank: VectorBank, articles: Sequence[int] | npt.NDArray[np.integer] | None, name: str
) -> SequenceSet:
    """Every run of six consecutive chunks of the articles (None: of all), none across two articles.

    An article of n chunks gives n − 5 windows, none if n < 6 (`short_articles` counts those).
    `target_indices` are positions within the article's rows. Raises DataError for an article that
    the bank does not have, and when there is no window at all.
    """
    ids = bank.articles if articles is None else np.unique(np.asarray(articles, np.int64))
    numbers = bank.numbers_of(ids)
    if (numbers < 0).any():
        bank.rows_of(int(ids[np.argmin(numbers)]))  # raises, naming the article
    counts = np.maximum(bank.lengths[numbers] - WINDOW + 1, 0)
    total = int(counts.sum())
    if total == 0:
        raise DataError(
            f"no windows for {name}: none of its {len(ids)} articles has {WINDOW} chunks",
            where=bank.source,
            fix=f"a sample takes {WINDOW} consecutive chunks; give longer articles, or more",
        )
    positions = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    first = np.repeat(bank.article_starts[numbers], counts) + positions
    digest = hashlib.sha256(f"windows {bank.fingerprint} ".encode() + ids.tobytes())
    return SequenceSet(
        name=name,
        vectors=bank.vectors,
        contexts=(first[:, None] + np.arange(CONTEXT_LENGTH)).astype(np.int32),
        targets=(first + CONTEXT_LENGTH).astype(np.int32),
        article_ids=np.repeat(ids, counts),
        target_indices=(positions + CONTEXT_LENGTH).astype(np.int64),
        fingerprint=digest.hexdigest(),
        source=bank.source,
    )


def short_articles(bank: VectorBank, articles: npt.NDArray[np.integer]) -> int:
    """How many of the articles are too short for even one window."""
    return int((bank.lengths[bank.numbers_of(articles)] < WINDOW).sum())


def split_articles(
    bank: VectorBank,
    *,
    val_articles: str = "",
    ood_articles: str = "",
    val_fraction: float = 0.1,
    ood_fraction: float = 0.1,
    seed: int = 0,
) -> dict[str, npt.NDArray[np.int64]]:
    """Ascending article ids of "train", "val" and "ood"; every article is in exactly one.

    A split is an inclusive range of ids ("4000-4499"; several with commas), or else a fraction of
    the articles, drawn at random with the seed from those that no range names and that are long
    enough for a window. Raises DataError when a range cannot be read or names no article, when
    the two ranges overlap, and when a split is left without articles.
    """
    wanted = {"val": val_articles.strip(), "ood": ood_articles.strip()}
    ranges = {split: _ranges(bank, split, text) for split, text in wanted.items()}
    for low, high in ranges["val"]:
        for first, last in ranges["ood"]:
            if low <= last and first <= high:
                raise DataError(
                    f"val_articles = {val_articles!r} and ood_articles = {ood_articles!r} "
                    f"overlap from {max(low, first)} to {min(high, last)}",
                    where=bank.source,
                    fix="both ends of a range belong to it; give ranges with nothing in common",
                )
    named = {s: _in_ranges(bank, s, wanted[s], r) for s, r in ranges.items() if r}
    taken = np.concatenate([np.empty(0, np.int64), *named.values()])
    free = np.setdiff1d(bank.articles[bank.lengths >= WINDOW], taken)
    generator = np.random.default_rng(np.random.SeedSequence([seed, _SPLIT]))
    shuffled = generator.permutation(free)
    for split, fraction in (("val", val_fraction), ("ood", ood_fraction)):
        if split not in named:
            count = max(1, round(fraction * len(free)))
            named[split], shuffled = np.sort(shuffled[:count]), shuffled[count:]
    train = np.setdiff1d(bank.articles, np.concatenate([named["val"], named["ood"]]))
    splits = {"train": train, "val": named["val"], "ood": named["ood"]}
    for split, ids in splits.items():
        if len(ids) == 0 or short_articles(bank, ids) == len(ids):
            raise DataError(
                f"no articles of {WINDOW} or more chunks are left for {split} "
                f"({len(bank.articles)} articles in all)",
                where=bank.source,
                fix="give more articles, or other ranges or fractions",
            )
    return splits


def _ranges(bank: VectorBank, split: str, text: str) -> list[tuple[int, int]]:
    ranges = []
    for part in text.split(",") if text else []:
        match = _RANGE.fullmatch(part)
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if low > high:
            raise DataError(
                f"{split}_articles = {text!r} is not a range of article ids",
                where=bank.source,
                fix='write first and last, both included, like "4000-4499"',
            )
        ranges.append((low, high))
    return ranges


def _in_ranges(
    bank: VectorBank, split: str, text: str, ranges: list[tuple[int, int]]
) -> npt.NDArray[np.int64]:
    chosen = np.zeros(len(bank.articles), bool)
    for low, high in ranges:
        chosen |= (bank.articles >= low) & (bank.articles <= high)
    if not chosen.any():
        raise DataError(
            f"{split}_articles = {text!r} names none of the {len(bank.articles)} articles",
            where=bank.source,
            fix=f"their ids go from {bank.articles[0]} to {bank.articles[-1]}",
        )
    return bank.articles[chosen]
