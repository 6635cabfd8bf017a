"""Everything a run needs to know about its data, opened from its settings."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lvm.data.alignment import Alignment, align, check_width
from lvm.data.bank import VectorBank, open_bank
from lvm.data.formats import read_kind
from lvm.data.importing import open_sequences
from lvm.data.placing import make_samples
from lvm.data.preflight import check_files
from lvm.data.progress import Progress
from lvm.data.reference import with_splits
from lvm.data.samples import Samples
from lvm.data.sequences import SequenceSet
from lvm.data.windows import WINDOW, short_articles, split_articles, windows
from lvm.errors import DataError
from lvm.settings import DataSettings

TRAIN_ALIGNMENT_SAMPLES = 20_000
"""No test is run on the training split: its alignment is looked at in so many samples."""

SPLITS = ("train", "val", "ood")


@dataclass(frozen=True, eq=False)
class Corpus:
    """Three splits, the articles they are from, and the samples that 5CAT tests."""

    train: SequenceSet
    val: SequenceSet
    ood: SequenceSet
    bank: VectorBank
    val_samples: Samples
    ood_samples: Samples
    alignment: dict[str, Any]
    """Split → Alignment.to_json()."""
    source: str
    """The files, for people."""
    fingerprints: dict[str, str]
    """SHA-256 of the content: train, val, ood, articles."""
    notes: tuple[str, ...] = field(default=())
    """What was changed, left out or looks wrong, one sentence each."""

    @property
    def dim(self) -> int:
        return self.train.dim

    @cached_property
    def fingerprint(self) -> str:
        """One SHA-256 over all of it: a resumed run must find the same."""
        return hashlib.sha256(json.dumps(self.fingerprints, sort_keys=True).encode()).hexdigest()

    @property
    def articles(self) -> int:
        """How many articles the bank has."""
        return len(self.bank.articles)

    @property
    def samples(self) -> dict[str, int]:
        """Split → sequences in it."""
        return {"train": len(self.train), "val": len(self.val), "ood": len(self.ood)}


def open_corpus(
    data: DataSettings,
    *,
    root: Path,
    seed: int,
    progress: Progress | None = None,
    cache_home: Path | None = None,
) -> Corpus:
    """Open a bank, or three sequence files and their articles; paths are relative to `root`.

    seed: of the article-wise split, where no range of articles is given. cache_home: where caches
    go that cannot lie beside their source. Raises DataError for anything that cannot be used.
    """
    if not data.complete:
        given = [name for name in (*SPLITS, "articles") if getattr(data, name)]
        raise DataError(
            f"data is not complete: given {', '.join(given) or 'nothing'}",
            fix="give a bank, or all four of train, val, ood and articles",
        )
    check_files(data, root=root)  # before a large one is imported for nothing
    path = root / Path(data.bank or data.articles).expanduser()
    bank = open_bank(path, progress, cache_home=cache_home)
    if data.bank:
        return _from_bank(data, bank, seed)
    files = {split: root / Path(getattr(data, split)).expanduser() for split in SPLITS}
    sets = {
        split: open_sequences(file, split, progress, cache_home=cache_home)
        for split, file in files.items()
    }
    for sequences in sets.values():
        check_width(sequences, bank)
    source = f"train {data.train}, val {data.val}, ood {data.ood}, articles {data.articles}"
    return _corpus(sets, bank, source, _shared_articles(sets))


def _from_bank(given: DataSettings, bank: VectorBank, seed: int) -> Corpus:
    data, split_note = with_splits(given, bank)
    splits = split_articles(
        bank,
        val_articles=data.val_articles,
        ood_articles=data.ood_articles,
        val_fraction=data.val_fraction,
        ood_fraction=data.ood_fraction,
        seed=seed,
    )
    sets = {split: windows(bank, ids, split) for split, ids in splits.items()}
    short = short_articles(bank, bank.articles)
    notes = []
    if short:
        count = f"{short} of {len(bank.articles)} articles"
        notes.append(f"{count} have fewer than {WINDOW} chunks: no windows")
    if split_note:
        notes.append(split_note)
    return _corpus(sets, bank, f"bank {data.bank}", notes)


def _corpus(
    sets: dict[str, SequenceSet], bank: VectorBank, source: str, notes: list[str]
) -> Corpus:
    limits = {"train": TRAIN_ALIGNMENT_SAMPLES}
    found = {split: align(sets[split], bank, limits.get(split, 0)) for split in SPLITS}
    val, ood = (make_samples(sets[split], bank, found[split].shift) for split in SPLITS[1:])
    opened = {Path(bank.source).name: bank.notes}
    opened |= {Path(s.source).name: s.notes for s in sets.values() if s.vectors is not bank.vectors}
    return Corpus(
        **sets,
        bank=bank,
        val_samples=val,
        ood_samples=ood,
        alignment={split: alignment.to_json() for split, alignment in found.items()},
        source=source,
        fingerprints={
            **{split: sequences.fingerprint for split, sequences in sets.items()},
            "articles": bank.fingerprint,
        },
        notes=(
            *(f"{file}: {note}" for file, lines in opened.items() for note in lines),
            *(f"{s}: {a.words}" for s, a in found.items() if a.shift or not a.known),
            *notes,
        ),
    )


def _shared_articles(sets: dict[str, SequenceSet]) -> list[str]:
    """Articles that a file puts into two splits; the files are the user's, so only say it."""
    ids = {s: np.unique(q.article_ids) for s, q in sets.items() if q.article_ids is not None}
    notes = []
    for one, other in itertools.combinations(ids, 2):
        both = np.intersect1d(ids[one], ids[other])
        if len(both):
            notes.append(f"{len(both)} articles are in both {one} and {other} (first: {both[0]})")
    return notes


def open_test_data(
    data: DataSettings,
    *,
    root: Path,
    seed: int,
    progress: Progress | None = None,
    cache_home: Path | None = None,
) -> tuple[Samples, Samples]:
    """VAL and OOD as 5CAT sees them, without the training split: `val`, `ood` and `articles`.

    From a bank, the split is that of a training run with the same settings and seed.
    Raises DataError for anything that cannot be used.
    """
    if data.bank:
        corpus = open_corpus(data, root=root, seed=seed, progress=progress, cache_home=cache_home)
        return corpus.val_samples, corpus.ood_samples
    check_files(data.changed(train=""), root=root)
    bank = open_bank(root / Path(data.articles).expanduser(), progress, cache_home=cache_home)
    return (
        _test_split(root / Path(data.val).expanduser(), "val", bank, progress, cache_home),
        _test_split(root / Path(data.ood).expanduser(), "ood", bank, progress, cache_home),
    )


def _test_split(
    path: Path, split: str, bank: VectorBank, progress: Progress | None, cache_home: Path | None
) -> Samples:
    sequences = open_sequences(path, split, progress, cache_home=cache_home)
    check_width(sequences, bank)
    return make_samples(sequences, bank, align(sequences, bank).shift)


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """One file, opened to be looked at."""

    sequences: SequenceSet
    alignment: Alignment | None
    """None for a bank (its windows are aligned by construction) and without articles."""
    corpus: Corpus | None
    """The splits that training would make of a bank; None for a file of sequences."""


def open_for_diagnosis(
    path: Path, *, bank: Path | None = None, seed: int = 0, progress: Progress | None = None
) -> Diagnosis:
    """Open sequences, with their articles if `bank` is given, or a bank.

    Raises DataError for anything that cannot be used.
    """
    if read_kind(path) == "bank":
        data = DataSettings(bank=str(path.absolute()))
        corpus = open_corpus(data, root=path.parent, seed=seed, progress=progress)
        return Diagnosis(windows(corpus.bank, None, "train"), None, corpus)
    if bank is not None:
        both = DataSettings(train=str(path.absolute()), articles=str(bank.absolute()))
        check_files(both, root=path.parent)
    sequences = open_sequences(path, "train", progress)
    if bank is None:
        return Diagnosis(sequences, None, None)
    articles = open_bank(bank, progress)
    check_width(sequences, articles)
    return Diagnosis(sequences, align(sequences, articles), None)
