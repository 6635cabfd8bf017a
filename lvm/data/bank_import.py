"""An article bank's way into its cache: sorted, unit length, texts in UTF-8."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lvm.data.cache import Manifest
from lvm.data.formats import BankMembers, Member, NpzFile, bank_members, open_npz
from lvm.data.progress import Progress
from lvm.data.rows import NpyWriter, UnitRows, save_array

VECTORS, ARTICLE_IDS, ARTICLE_STARTS = "vectors.npy", "article_ids.npy", "article_starts.npy"
CHUNK_INDICES, NAMES = "chunk_indices.npy", "article_names.npy"
TEXT, TEXT_SPANS = "text_utf8.npy", "text_spans.npy"

UNTRUSTED = "texts_need_trust"
"""In the manifest: the key of texts that only unpickling could read, or ""."""


def import_bank(path: Path, folder: Path, trust_pickles: bool, progress: Progress) -> Manifest:
    """Write the cache of an article bank into `folder`; returns its part of the manifest."""
    file = open_npz(path)
    members = bank_members(file)
    order = _Order(file, members)
    save_array(folder / ARTICLE_IDS, order.article_ids)
    save_array(folder / ARTICLE_STARTS, order.article_starts)
    save_array(folder / CHUNK_INDICES, order.chunk_indices)
    unit = _import_vectors(file, members.vectors, order, folder, progress)
    notes = unit.notes(len(order.places)) + order.notes
    untrusted = ""
    if members.texts and members.texts.needs_unpickling and not trust_pickles:
        untrusted = members.texts.key
        notes.append(
            f"the texts were left out: {untrusted} is an object array, and unpickling one "
            "can run code; say that you trust the file to have them"
        )
    elif members.texts:
        _import_texts(file, members.texts, order, folder, progress)
    if members.names:
        notes += _import_names(file, members.names, order, folder)
    return {
        "dim": members.vectors.shape[1],
        "dtype": unit.dtype.name,
        "rows": len(order.places),
        "articles": len(order.article_starts) - 1,
        "normalised": unit.to_json(),
        UNTRUSTED: untrusted,
        "notes": notes,
    }


class _Order:
    """Where each row of the file goes: by article, then by chunk."""

    def __init__(self, file: NpzFile, members: BankMembers) -> None:
        rows = members.vectors.shape[0]
        ids = file.read_integers(members.articles.key, rows)
        self.notes: list[str] = []
        if members.chunks is not None:
            chunks = file.read_integers(members.chunks.key, rows)
        else:
            chunks = np.arange(rows)
            self.notes.append("no chunk_indices: the chunks of an article are taken in file order")
        order = np.lexsort((chunks, ids))
        self.article_ids = ids[order]
        borders = np.flatnonzero(self.article_ids[1:] != self.article_ids[:-1]) + 1
        self.article_starts = np.array([0, *borders, rows], np.int64)
        self.places = np.empty(rows, np.int64)
        """(M,) the row of the bank that each row of the file becomes."""
        self.places[order] = np.arange(rows)
        self.sorted = bool((order[1:] > order[:-1]).all())
        if not self.sorted:
            self.notes.append("its rows were not in order: sorted by article, then by chunk")
        if members.chunks is None:
            starts = np.repeat(self.article_starts[:-1], np.diff(self.article_starts))
            self.chunk_indices = (np.arange(rows) - starts).astype(np.int32)
            return
        chunks = chunks[order]
        self._refuse_doubles(file, members.chunks, chunks, order)
        if np.abs(chunks).max() > np.iinfo(np.int32).max:
            raise file.error(f"key {members.chunks.key!r} has numbers beyond 2³¹", "")
        self.chunk_indices = chunks.astype(np.int32)

    def _refuse_doubles(
        self,
        file: NpzFile,
        member: Member,
        chunks: npt.NDArray[np.int64],
        order: npt.NDArray[np.int64],
    ) -> None:
        same = (self.article_ids[1:] == self.article_ids[:-1]) & (chunks[1:] == chunks[:-1])
        if same.any():
            first = int(np.argmax(same))
            raise file.error(
                f"key {member.key!r}: rows {order[first]} and {order[first + 1]} are both chunk "
                f"{chunks[first]} of article {self.article_ids[first]} ({same.sum()} such pairs)",
                "each chunk of an article needs its own number; without the key, file order counts",
            )


def _import_vectors(
    file: NpzFile, member: Member, order: _Order, folder: Path, progress: Progress
) -> UnitRows:
    rows, dim = member.shape
    unit = UnitRows(member.dtype)
    what = f"importing {file.path.name}"
    progress(what, 0, rows)
    done = 0
    with NpyWriter(folder / VECTORS, unit.dtype, (dim,)) as writer:
        for block in file.iter_rows(member.key):
            writer.place(unit.add(block), order.places[done : done + len(block)])
            done += len(block)
            progress(what, done, rows)
    for bad, why in unit.unusable():
        if bad.any():
            raise file.bad_rows(member.key, bad, why)
    return unit


def _import_texts(
    file: NpzFile, member: Member, order: _Order, folder: Path, progress: Progress
) -> None:
    rows = len(order.places)
    spans = np.empty((rows, 2), np.int64)
    what = f"texts of {file.path.name}"
    with NpyWriter(folder / TEXT, np.uint8, ()) as writer:
        if member.key == "text_utf8":
            offsets = _offsets(file, member, rows)
            spans[order.places] = np.stack([offsets[:-1], offsets[1:]], axis=1)
            for block in file.iter_rows(member.key):
                writer.append(block)
                progress(what, writer.rows, member.shape[0])
        else:
            _expect_one_a_row(file, member, rows)
            done = 0
            for texts in _text_blocks(file, member):
                encoded = [text.encode("utf-8", "replace") for text in texts]
                ends = writer.rows + np.cumsum([0, *map(len, encoded)])
                places = order.places[done : done + len(encoded)]
                spans[places] = np.stack([ends[:-1], ends[1:]], axis=1)
                writer.append(np.frombuffer(b"".join(encoded), np.uint8))
                done += len(encoded)
                progress(what, done, rows)
    save_array(folder / TEXT_SPANS, spans)


def _text_blocks(file: NpzFile, member: Member) -> Iterable[Iterable[str]]:
    if member.needs_unpickling:
        yield ["" if text is None else str(text) for text in file.read_pickled(member.key)]
        return
    for block in file.iter_rows(member.key):
        yield [t.decode("utf-8", "replace") if isinstance(t, bytes) else str(t) for t in block]


def _offsets(file: NpzFile, member: Member, rows: int) -> npt.NDArray[np.int64]:
    if member.dtype != np.uint8 or len(member.shape) != 1:
        raise file.error(f"key {member} is no text", "text_utf8 must be (bytes,) of uint8")
    offsets = file.read_integers("text_offsets", rows + 1)
    if offsets[0] < 0 or (offsets[1:] < offsets[:-1]).any() or offsets[-1] > member.shape[0]:
        raise file.error(
            f"key 'text_offsets' does not fit the {member.shape[0]} bytes of text_utf8",
            "offsets must rise from 0 to the number of bytes",
        )
    return offsets


def _import_names(file: NpzFile, member: Member, order: _Order, folder: Path) -> list[str]:
    if member.needs_unpickling:
        return [f"{member.key} was left out: an object array is never unpickled"]
    ids = order.article_ids[order.article_starts[:-1]]
    if member.dtype.kind not in "US" or len(member.shape) != 1:
        raise file.error(f"key {member} is no list of names", "article_names must be strings, (A,)")
    count = member.shape[0]
    names: npt.NDArray[Any] = file.read(member.key)
    if count != len(ids) and ids[0] >= 0 and ids[-1] < count:
        names = names[ids]  # one for each id from 0 on, those without chunks among them
    elif count != len(ids):
        raise file.error(
            f"key {member.key!r} has {count} names, but there are {len(ids)} articles",
            "give one name an article, in ascending order of their ids",
        )
    save_array(folder / NAMES, names.astype(np.str_))
    return []


def _expect_one_a_row(file: NpzFile, member: Member, rows: int) -> None:
    if member.shape != (rows,):
        raise file.error(
            f"key {member.key!r} has shape {member.shape}, but there are {rows} vectors",
            f"{member.key!r} must be ({rows},): one text a vector",
        )
