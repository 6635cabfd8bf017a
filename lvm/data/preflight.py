"""A look at the files of a run before anything is made or imported: their headers alone.

What only shows when every number is read (NaN, a damaged block) is left to the import.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lvm.data.bank import VectorBank
from lvm.data.formats import (
    BankMembers,
    NpzFile,
    bank_members,
    open_npz,
    read_kind,
    sequence_members,
)
from lvm.data.reference import with_splits
from lvm.data.windows import split_articles
from lvm.errors import DataError
from lvm.settings import SPLIT_SEED, DataSettings

_BANKS = ("bank", "articles")
_SEQUENCES = ("train", "val", "ood")
_PLACED = ("val", "ood")
"""Splits that 5CAT tests: their samples must say where their targets are."""


def check_files(data: DataSettings, *, root: Path) -> None:
    """Every file that is given: there, readable, of the kind that its place needs, all as wide.

    Raises DataError that names each file that cannot be used, not only the first.
    """
    wrong: list[DataError] = []
    first: tuple[Path, int] | None = None
    for name in (*_BANKS, *_SEQUENCES):
        if not (given := getattr(data, name)):
            continue
        path = root / Path(given).expanduser()
        try:
            width = _width(name, path)
        except DataError as error:
            wrong.append(error)
            continue
        first = first or (path, width)
        if width != first[1]:
            wrong.append(
                DataError(
                    f"its vectors have {width} numbers, those of {first[0]} {first[1]}",
                    where=str(path),
                    fix="sequences and articles must come from the same encoder",
                )
            )
    if len(wrong) > 1:
        raise DataError(
            f"{len(wrong)} files cannot be used: "
            + "; ".join(f"{error.where}: {error.what}" for error in wrong),
            fix="; ".join(dict.fromkeys(error.fix for error in wrong if error.fix)),
        )
    if wrong:
        raise wrong[0]


def check_data(data: DataSettings, *, root: Path) -> None:
    """`check_files`, and of a bank also that it can be split: reads its article ids, no vectors.

    Raises DataError.
    """
    check_files(data, root=root)
    if data.bank:
        bank = _without_vectors(root / Path(data.bank).expanduser())
        asked, _ = with_splits(data, bank)
        split_articles(
            bank,
            val_articles=asked.val_articles,
            ood_articles=asked.ood_articles,
            val_fraction=asked.val_fraction,
            ood_fraction=asked.ood_fraction,
            seed=SPLIT_SEED,
        )


def _width(name: str, path: Path) -> int:
    """Numbers a vector of the file that is given as `name`."""
    file = open_npz(path)
    if name in _BANKS:
        return _bank(file).vectors.shape[1]
    if file.members and _is_kind(path, "bank"):
        raise file.error(
            f"is an article bank, but {name} takes sequences (contexts and targets)",
            "give a bank with --bank, or as the articles of sequence files with --articles",
        )
    found = sequence_members(file)
    absent = [
        key
        for key in ("article_ids", "target_indices")
        if name in _PLACED and getattr(found, key) is None
    ]
    if absent:
        raise file.error(
            f"no {' and no '.join(absent)}: its samples cannot be placed in their articles",
            f"5CAT needs {' and '.join(absent)} in the {name.upper()} file, (N,) plain integers "
            "each (object arrays are never unpickled)",
        )
    return found.contexts.shape[2]


def _bank(file: NpzFile) -> BankMembers:
    if file.members and _is_kind(file.path, "sequences"):
        raise file.error(
            "is a file of sequences, not an article bank",
            "give it with --train, --val or --ood, and its articles with --articles",
        )
    return bank_members(file)


def _is_kind(path: Path, kind: str) -> bool:
    """Whether the file is certainly that; what is wrong with it is told by who wants it."""
    try:
        return read_kind(path) == kind
    except DataError:
        return False


def _without_vectors(path: Path) -> VectorBank:
    """The articles of a bank and how long they are; no vectors, and nothing is imported."""
    file = open_npz(path)
    found = bank_members(file)
    ids = np.sort(file.read_integers(found.articles.key, found.vectors.shape[0]))
    starts = np.flatnonzero(np.diff(ids, prepend=ids[0] - 1))
    return VectorBank(
        folder=path.parent,
        vectors=np.empty((0, found.vectors.shape[1]), np.float32),
        article_ids=ids,
        article_starts=np.append(starts, len(ids)),
        chunk_indices=np.empty(0, np.int32),
        fingerprint="",
        source=str(path),
    )
