"""An article bank: the unit vectors of all chunks, articles contiguous and in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lvm.data.bank_import import (
    ARTICLE_IDS,
    ARTICLE_STARTS,
    CHUNK_INDICES,
    NAMES,
    TEXT,
    TEXT_SPANS,
    UNTRUSTED,
    VECTORS,
    import_bank,
)
from lvm.data.cache import Manifest, open_cached
from lvm.data.progress import Progress, quiet
from lvm.data.rows import map_array
from lvm.data.sequences import FloatArray, IntArray
from lvm.errors import DataError
from lvm.files import write_whole


@dataclass(frozen=True, eq=False)
class VectorBank:
    """M chunks of A articles. Rows of one article are contiguous and in chunk order."""

    folder: Path
    """The cache folder that the arrays are mapped from."""
    vectors: FloatArray
    """(M, D) unit rows, memory-mapped, float32 or float16."""
    article_ids: IntArray
    """(M,) int64, the article of each row; ascending."""
    article_starts: IntArray
    """(A + 1,) int64: article number a (of `articles`) has rows starts[a] to starts[a + 1]."""
    chunk_indices: IntArray
    """(M,) int32, as the file counts them; rising within an article."""
    fingerprint: str
    """SHA-256 of the source, hexadecimal."""
    source: str = ""
    """The file it came from, for messages."""
    text_utf8: npt.NDArray[np.uint8] | None = None
    """The texts of all rows, or None where the file has none."""
    text_spans: IntArray | None = None
    """(M, 2) int64: where in `text_utf8` the text of a row begins and ends."""
    article_names: npt.NDArray[np.str_] | None = None
    """(A,) in the order of `articles`, or None."""
    notes: tuple[str, ...] = ()
    """What the import changed or left out, one sentence each."""

    def __len__(self) -> int:
        return len(self.article_ids)

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])

    @cached_property
    def articles(self) -> npt.NDArray[np.int64]:
        """(A,) the distinct article ids, ascending."""
        return np.asarray(self.article_ids[self.article_starts[:-1]], np.int64)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(A,) chunks of each article."""
        starts = np.asarray(self.article_starts, np.int64)
        return starts[1:] - starts[:-1]

    @property
    def has_texts(self) -> bool:
        return self.text_utf8 is not None

    def text(self, row: int) -> str | None:
        """The text of a row, or None where the bank has no texts."""
        if self.text_utf8 is None or self.text_spans is None:
            return None
        start, end = self.text_spans[row]
        return bytes(self.text_utf8[start:end]).decode("utf-8", "replace")

    def numbers_of(self, article_ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """(n,) the place of each id in `articles`, or −1 where the bank does not have it."""
        wanted = np.asarray(article_ids, np.int64)
        places = np.minimum(np.searchsorted(self.articles, wanted), len(self.articles) - 1)
        return np.where(self.articles[places] == wanted, places, -1)

    def rows_of(self, article_id: int) -> range:
        """The rows of one article. Raises DataError if the bank does not have it."""
        number = int(self.numbers_of(article_id))
        if number < 0:
            raise DataError(
                f"no article {article_id}",
                where=self.source,
                fix=f"its {len(self.articles)} articles have ids from {self.articles[0]} "
                f"to {self.articles[-1]}",
            )
        return range(int(self.article_starts[number]), int(self.article_starts[number + 1]))

    def article_of_row(self, row: int) -> int:
        """The id of the article that a row belongs to."""
        return int(self.article_ids[row])

    def article_name(self, article_id: int) -> str:
        """The name of an article; "article 17" where the bank has no names."""
        number = int(self.numbers_of(article_id))
        if self.article_names is None or number < 0:
            return f"article {article_id}"
        return str(self.article_names[number])


def write_bank_npz(
    path: Path,
    vectors: npt.NDArray[np.floating],
    article_indices: npt.ArrayLike,
    chunk_indices: npt.ArrayLike,
    texts: Sequence[str] | None = None,
    article_names: Sequence[str] | None = None,
) -> None:
    """Write an article bank as the interchange file, whole or not at all.

    vectors: (M, D) float16 or float32, unit rows; article_indices, chunk_indices: (M,) integers;
    texts: M strings; article_names: one a distinct article, in ascending order of the ids.
    Keys: vectors, article_indices, chunk_indices, text_utf8 (uint8), text_offsets (int64, M + 1),
    article_names. Nothing in it needs unpickling. Raises DataError when the lengths differ.
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2:
        raise DataError(
            f"vectors of shape {vectors.shape}", where=str(path), fix="they must be (M, D)"
        )
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "vectors": vectors,
        "article_indices": np.asarray(article_indices, np.int64),
        "chunk_indices": np.asarray(chunk_indices, np.int32),
    }
    if texts is not None:
        encoded = [text.encode() for text in texts]
        arrays["text_utf8"] = np.frombuffer(b"".join(encoded), np.uint8)
        arrays["text_offsets"] = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    articles = len(np.unique(arrays["article_indices"]))
    needs = {"article_indices": len(vectors), "chunk_indices": len(vectors)}
    needs |= {"text_offsets": len(vectors) + 1} if texts is not None else {}
    if article_names is not None:
        arrays["article_names"] = np.asarray(article_names, np.str_)
        needs["article_names"] = articles
    for key, need in needs.items():
        if arrays[key].shape != (need,):
            raise DataError(
                f"{key} has shape {arrays[key].shape}, the vectors {vectors.shape}",
                where=str(path),
                fix=f"{key} must be ({need},)",
            )
    write_whole(path, lambda file: np.savez(file, allow_pickle=False, **arrays))


def open_bank(
    path: Path,
    progress: Progress | None = None,
    *,
    trust_pickles: bool = False,
    cache_home: Path | None = None,
) -> VectorBank:
    """The article bank of an .npz (spec/data.md), any of its dialects.

    The first time it is written, sorted and at unit length, into a cache beside the file (or in
    `cache_home`, where that folder cannot be written), by blocks; from then on this takes
    milliseconds. Texts in an object array are left out unless `trust_pickles`: unpickling a file
    runs whatever code it holds. Raises DataError for whatever is wrong with the file, and then
    leaves no cache.
    """
    report = quiet if progress is None else progress

    def build(folder: Path) -> Manifest:
        return import_bank(path, folder, trust_pickles, report)

    def load(folder: Path, manifest: Manifest) -> VectorBank:
        def optional(name: str) -> npt.NDArray[Any] | None:
            return map_array(folder / name) if name in manifest["files"] else None

        names = optional(NAMES)
        return VectorBank(
            folder=folder,
            vectors=map_array(folder / VECTORS),
            article_ids=map_array(folder / ARTICLE_IDS),
            article_starts=map_array(folder / ARTICLE_STARTS),
            chunk_indices=map_array(folder / CHUNK_INDICES),
            fingerprint=manifest["source"]["sha256"],
            source=str(path),
            text_utf8=optional(TEXT),
            text_spans=optional(TEXT_SPANS),
            article_names=names,
            notes=tuple(manifest["notes"]),
        )

    def accept(manifest: Manifest) -> bool:
        return not (trust_pickles and manifest[UNTRUSTED])

    return open_cached(
        path, "bank", build, load, progress=report, cache_home=cache_home, accept=accept
    )


def encoder_record(bank: Path) -> Path:
    """The file beside a bank that says which encoder its vectors are from."""
    return bank.with_name(f"{bank.stem}.encoder.json")
