"""Reading .npz files by blocks of rows: several dialects, nothing inflated, nothing unpickled."""

from __future__ import annotations

import math
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from lvm.errors import DataError
from lvm.settings import CONTEXT_LENGTH

Array = npt.NDArray[Any]

CONTEXT_KEYS = (
    "contexts",
    "context",
    "X",
    "context_sequences",
    "train_context_sequences",
    "context_vectors",
)
TARGET_KEYS = ("targets", "target", "y", "target_vectors", "train_target_vectors")
VECTOR_KEYS = ("vectors", "embeddings", "X")
ARTICLE_KEYS = ("article_indices", "article_ids")
CHUNK_KEYS = ("chunk_indices", "seq_idx")
TEXT_KEYS = ("texts", "concept_texts", "chunk_texts")
"""Texts one a row; the interchange file has `text_utf8` and `text_offsets` instead."""

BLOCK_BYTES = 8 << 20
"""Inflated bytes that are held at a time."""

FORTRAN_LIMIT = 256 << 20
"""An array stored column by column has no rows to stream; up to this size it is read whole."""

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError)
"""What zipfile raises for a member that is damaged, encrypted or packed in an unknown way."""


@dataclass(frozen=True)
class Member:
    """One array of an .npz, as its header describes it."""

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool
    header_bytes: int

    @property
    def needs_unpickling(self) -> bool:
        return self.dtype.hasobject

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape[1:])

    def __str__(self) -> str:
        return f"{self.key} {self.shape} {'object' if self.needs_unpickling else self.dtype}"


class NpzFile:
    """The arrays of an .npz file, known by their headers; rows are read when asked for."""

    def __init__(self, path: Path, members: dict[str, Member]) -> None:
        self.path = path
        self.members = members

    @cached_property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.members)

    def find(self, candidates: Sequence[str]) -> Member | None:
        """The member of the first key that the file has."""
        return next((self.members[key] for key in candidates if key in self.members), None)

    def require(self, what: str, candidates: Sequence[str]) -> Member:
        """Likewise; raises DataError, listing the keys found, if there is none or it is pickled."""
        member = self.find(candidates)
        if member is None:
            found = ", ".join(map(str, self.members.values())) or "nothing"
            raise self.error(
                f"no key for the {what}: looked for {', '.join(candidates)}; found {found}",
                f"save the {what} under {candidates[0]!r}{self._looks_like(what)}",
            )
        if member.needs_unpickling:
            raise self.error(
                f"key {member.key!r} holds the {what} as an object array, "
                "which only unpickling could read; that can run code, so it is refused",
                f"save {member.key!r} again as a plain array of numbers",
            )
        return member

    def iter_rows(self, key: str, block_rows: int = 0) -> Iterator[Array]:
        """Blocks of consecutive rows, (n, …) each, read-only; 0 = about BLOCK_BYTES a block.

        Raises DataError when the member is damaged or shorter than its header says.
        """
        member = self.members[key]
        if member.needs_unpickling or not member.shape:
            raise self.error(f"key {key!r} has no rows to read ({member})", "")
        rows = block_rows or max(1, BLOCK_BYTES // max(1, member.row_bytes))
        if member.fortran_order and len(member.shape) > 1:
            yield from self._fortran_blocks(member, rows)
            return
        with self._stream(member) as stream:
            for first in range(0, member.shape[0], rows):
                count = min(rows, member.shape[0] - first)
                data = self._read(stream, member, count * member.row_bytes)
                yield np.frombuffer(data, member.dtype).reshape(count, *member.shape[1:])
            self._check_crc(stream, member)

    def read(self, key: str) -> Array:
        """A whole array; for small ones."""
        member = self.members[key]
        if not member.shape:
            with self._stream(member) as stream:
                data = self._read(stream, member, member.dtype.itemsize)
            return np.frombuffer(data, member.dtype).reshape(())
        whole = np.empty(member.shape, member.dtype)
        done = 0
        for block in self.iter_rows(key):
            whole[done : done + len(block)] = block
            done += len(block)
        return whole

    def read_integers(self, key: str, rows: int) -> npt.NDArray[np.int64]:
        """(rows,) whole numbers, also where they were saved as floats. Raises DataError."""
        member = self.members[key]
        if member.shape != (rows,):
            raise self.error(
                f"key {key!r} has shape {member.shape}, but there are {rows} rows",
                f"{key!r} must be ({rows},), one a row",
            )
        if member.dtype.kind not in "iuf":
            raise self.error(
                f"key {key!r} has dtype {member.dtype}", f"save {key!r} as whole numbers"
            )
        values = self.read(key)
        whole = values.astype(np.int64) if np.isfinite(values).all() else None
        if whole is None or (whole != values).any():
            raise self.error(
                f"key {key!r} holds values that are not whole numbers",
                f"save {key!r} as whole numbers",
            )
        return whole

    def read_pickled(self, key: str) -> Array:
        """An object array, by unpickling, which can run any code: only if the user trusts it."""
        try:
            with np.load(self.path, allow_pickle=True) as file:
                values: Array = file[key]
        except Exception as error:
            raise self.error(f"key {key!r} cannot be unpickled: {error}", "") from error
        return values

    def bad_rows(self, key: str, bad: npt.NDArray[np.bool_], what: str) -> DataError:
        """The error for rows of a key that cannot be used: how many, and the first."""
        return self.error(
            f"key {key!r} has {what} in {bad.sum()} of {len(bad)} rows, "
            f"the first is row {int(np.argmax(bad))}",
            "leave these rows out, or make the file again",
        )

    def error(self, what: str, fix: str) -> DataError:
        return DataError(what, where=str(self.path), fix=fix)

    def _looks_like(self, what: str) -> str:
        if what in ("contexts", "targets") and self.find(VECTOR_KEYS) and self.find(ARTICLE_KEYS):
            return "; this file looks like an article bank"
        if what not in ("contexts", "targets") and self.find(TARGET_KEYS):
            return "; this file looks like sequences (contexts and targets)"
        return ""

    @contextmanager
    def _stream(self, member: Member) -> Iterator[IO[bytes]]:
        """The bytes of a member after its header."""
        with (
            self._damage(member.key),
            zipfile.ZipFile(self.path) as archive,
            archive.open(f"{member.key}.npy") as stream,
        ):
            stream.read(member.header_bytes)
            yield stream

    @contextmanager
    def _damage(self, key: str) -> Iterator[None]:
        try:
            yield
        except _BROKEN as error:
            raise self.error(f"key {key!r} cannot be read: {error}", _AGAIN) from error

    def _read(self, stream: IO[bytes], member: Member, size: int) -> bytes:
        with self._damage(member.key):
            data = stream.read(size)
        if len(data) < size:
            raise self.error(f"key {member.key!r} ends too early, {member} was announced", _AGAIN)
        return data

    def _check_crc(self, stream: IO[bytes], member: Member) -> None:
        with self._damage(member.key):
            stream.read(1)  # zipfile compares the CRC when it meets the end

    def _fortran_blocks(self, member: Member, rows: int) -> Iterator[Array]:
        size = member.shape[0] * member.row_bytes
        if size > FORTRAN_LIMIT:
            raise self.error(
                f"key {member.key!r} is stored column by column (Fortran order), "
                f"{size >> 20} MiB of it, so its rows cannot be streamed",
                "save it again with np.ascontiguousarray",
            )
        with self._stream(member) as stream:
            data = self._read(stream, member, size)
            self._check_crc(stream, member)
        whole = np.frombuffer(data, member.dtype).reshape(member.shape, order="F")
        for first in range(0, member.shape[0], rows):
            yield np.ascontiguousarray(whole[first : first + rows])


_AGAIN = "the file is damaged: copy or make it again"


def open_npz(path: Path) -> NpzFile:
    """Open an .npz by the headers of its arrays alone.

    Raises DataError when there is no such file, when it is no .npz, when it is cut off.
    """
    where = str(path)
    try:
        if stat.S_ISFIFO(path.stat().st_mode):  # to open one waits for whoever writes into it
            raise DataError("a pipe, not a file", where=where, fix="give an .npz file")
        with path.open("rb") as file:
            start = file.read(6)
            size = path.stat().st_size
    except FileNotFoundError:
        raise DataError("no such file", where=where, fix="check the path") from None
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror}", where=where, fix="check the path and its rights"
        ) from error
    if not zipfile.is_zipfile(path):
        if start == b"\x93NUMPY":
            what, fix = "a single .npy array, not an .npz", "save it with np.savez, under its key"
        elif start[:2] == b"PK":
            what = f"cut off: the directory at the end of the zip is missing ({size} bytes)"
            fix = "copy or make the file again"
        else:
            what, fix = f"not an .npz: {size} bytes that are no zip file", "give an .npz file"
        raise DataError(what, where=where, fix=fix)
    file_of_arrays = NpzFile(path, {})
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".npy"):
                    key = entry.filename.removesuffix(".npy")
                    with archive.open(entry) as stream:
                        member = _header(key, stream, entry.file_size)
                    if member:
                        file_of_arrays.members[key] = member
    except (*_BROKEN, ValueError) as error:
        raise DataError(f"a damaged .npz: {error}", where=where, fix=_AGAIN) from error
    return file_of_arrays


def read_kind(path: Path) -> Literal["sequences", "bank"]:
    """What an .npz holds, by its keys. Raises DataError when it is neither."""
    file = open_npz(path)
    contexts, vectors = file.find(CONTEXT_KEYS), file.find(VECTOR_KEYS)
    if contexts and len(contexts.shape) != 2 and file.find(TARGET_KEYS):
        return "sequences"
    if vectors and len(vectors.shape) == 2 and file.find(ARTICLE_KEYS):
        return "bank"
    if file.find(TARGET_KEYS):
        sequence_members(file)  # raises, saying what is wrong with them
    bank_members(file)
    return "bank"


@dataclass(frozen=True)
class SequenceMembers:
    """Where the parts of a sequence file are; shapes agree."""

    contexts: Member
    targets: Member
    article_ids: Member | None
    target_indices: Member | None


def sequence_members(file: NpzFile) -> SequenceMembers:
    """Find contexts (N, 5, D) and targets (N, D) by their headers. Raises DataError."""
    contexts = file.require("contexts", CONTEXT_KEYS)
    targets = file.require("targets", TARGET_KEYS)
    _require_floats(file, contexts)
    _require_floats(file, targets)
    shape = contexts.shape
    if len(shape) != 3 or shape[1] != CONTEXT_LENGTH or shape[2] == 0:
        raise file.error(
            f"key {contexts.key!r} has shape {shape}",
            f"the contexts must be (N, {CONTEXT_LENGTH}, D): {CONTEXT_LENGTH} vectors a sample",
        )
    if len(targets.shape) != 2 or targets.shape[1] != shape[2]:
        raise file.error(
            f"key {targets.key!r} has shape {targets.shape}, key {contexts.key!r} {shape}",
            f"the targets must be (N, {shape[2]}): one vector a sample, as wide as the contexts",
        )
    if targets.shape[0] != shape[0]:
        raise file.error(
            f"key {contexts.key!r} has {shape[0]} samples, "
            f"key {targets.key!r} has {targets.shape[0]}",
            "both must have the same number of samples",
        )
    if shape[0] == 0:
        raise file.error(f"key {contexts.key!r} is empty", "give a file with samples")
    optional = [file.find([key]) for key in ("article_ids", "target_indices")]
    article_ids, target_indices = (m if m and not m.needs_unpickling else None for m in optional)
    return SequenceMembers(contexts, targets, article_ids, target_indices)


@dataclass(frozen=True)
class BankMembers:
    """Where the parts of an article bank are; the shapes of the first three agree."""

    vectors: Member
    articles: Member
    chunks: Member | None
    texts: Member | None
    """`text_utf8`, or strings one a row, or an object array."""
    names: Member | None


def bank_members(file: NpzFile) -> BankMembers:
    """Find vectors (M, D) and articles (M,) by their headers. Raises DataError."""
    vectors = file.require("vectors", VECTOR_KEYS)
    articles = file.require("articles", ARTICLE_KEYS)
    _require_floats(file, vectors)
    if len(vectors.shape) != 2 or vectors.shape[1] == 0:
        raise file.error(
            f"key {vectors.key!r} has shape {vectors.shape}",
            "the vectors of an article bank must be (M, D): one a chunk",
        )
    if vectors.shape[0] == 0:
        raise file.error(f"key {vectors.key!r} is empty", "give a bank with vectors")
    chunks = file.find(CHUNK_KEYS)
    for member in (articles, chunks):
        if member is not None and member.shape != vectors.shape[:1]:
            raise file.error(
                f"key {member.key!r} has shape {member.shape}, key {vectors.key!r} {vectors.shape}",
                f"{member.key!r} must be ({vectors.shape[0]},): one a vector",
            )
    texts = file.find(["text_utf8"]) if "text_offsets" in file.members else None
    return BankMembers(
        vectors, articles, chunks, texts or file.find(TEXT_KEYS), file.find(["article_names"])
    )


def _require_floats(file: NpzFile, member: Member) -> None:
    if member.dtype.kind != "f" or member.dtype.itemsize not in (2, 4, 8):
        raise file.error(
            f"key {member.key!r} has dtype {member.dtype}",
            "vectors must be float16, float32 or float64",
        )


def _header(key: str, stream: IO[bytes], size: int) -> Member | None:
    """Raises ValueError where the header does not fit the member's `size` in bytes.

    None for version 3 of .npy: structured arrays with non-ASCII field names, no vectors."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        return None
    member = Member(key, shape, dtype, fortran, stream.tell())
    needed = member.header_bytes + dtype.itemsize * math.prod(shape)
    if not member.needs_unpickling and needed != size:
        raise ValueError(f"key {member} needs {needed} bytes and has {size}")
    return member
