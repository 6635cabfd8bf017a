"""Which files of a project folder are its data; looks at names and keys, reads no numbers."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from lvm.settings import DataSettings

_FOLDERS = (".", "data", "artifacts", "artifacts/lvm")
"""Where data files usually lie; the guide's are in the last two."""

CONTEXTS = frozenset(
    (
        "contexts",
        "context",
        "X",
        "context_sequences",
        "train_context_sequences",
        "context_vectors",
    )
)
TARGETS = frozenset(("targets", "target", "y", "target_vectors", "train_target_vectors"))
VECTORS = frozenset(("vectors", "embeddings", "X"))
ARTICLES = frozenset(("article_indices", "article_ids"))
"""Keys by which a file is known, those of lvm/data/formats.py, which stands above this room."""

_NAMES = {"val": ("val",), "ood": ("ood",), "train": ("train",)}
"""What the name of a sequence file contains; the first that fits is it."""


def find_data(root: Path) -> DataSettings:
    """Four files if all four are there, else a bank, else what there is; paths relative to root.

    Of several candidates the latest wins: data is regenerated, and the old file stays beside it.
    """
    sequences: dict[str, list[Path]] = {split: [] for split in ("", *_NAMES)}
    banks: list[Path] = []
    for path, kind in _data_files(root):
        if kind == "bank":
            banks.append(path)
        else:
            sequences[_split_of(path.name)].append(path)
    train, val, ood = (_latest(sequences[split], root) for split in ("train", "val", "ood"))
    bank = _latest(banks, root)
    if bank and not (train and val and ood):
        return DataSettings(bank=bank)
    return DataSettings(train=train, val=val, ood=ood, articles=bank)


def left_out(root: Path, chosen: DataSettings) -> list[str]:
    """The data files of the folder that are not among the chosen, relative to root."""
    names = (path.relative_to(root).as_posix() for path, _ in _data_files(root))
    return [name for name in names if name not in chosen.to_json().values()]


def _data_files(root: Path) -> Iterable[tuple[Path, Literal["sequences", "bank"]]]:
    for path in _candidates(root):
        keys = _keys(path)
        if keys & CONTEXTS and keys & TARGETS:
            yield path, "sequences"
        elif keys & VECTORS and keys & ARTICLES:
            yield path, "bank"


def _candidates(root: Path) -> Iterable[Path]:
    for folder in _FOLDERS:
        yield from (path for path in sorted((root / folder).glob("*.npz")) if path.is_file())


def _keys(path: Path) -> set[str]:
    """Names of the arrays in an .npz; none if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return set()


def _split_of(name: str) -> str:
    for split, parts in _NAMES.items():
        if any(part in name.lower() for part in parts):
            return split
    return ""


def _latest(paths: list[Path], root: Path) -> str:
    if not paths:
        return ""
    return max(paths, key=lambda path: path.stat().st_mtime).relative_to(root).as_posix()
