"""Rows on their way into a cache: checked, brought to unit length, told apart, written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

UNIT_TOLERANCE = {2: 1e-3, 4: 1e-5, 8: 1e-5}
"""Bytes of a source number → how far a norm may be from 1 before the row is divided by it.
Rounding alone explains that much; such rows are kept to the bit."""

ZERO_NORM = 1e-8
"""A vector shorter than this has no direction."""

_HEADER_BYTES = 128


class NpyWriter:
    """Writes a .npy of rows whose number is known only at the end, by plain writes.

    A memory map would count every page it touches as memory of this process; a write does not.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, row_shape: tuple[int, ...]) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.rows = 0
        self._row_shape = row_shape
        self._row_bytes = self.dtype.itemsize * int(np.prod(row_shape, dtype=np.int64))
        self._file = path.open("wb", buffering=0)
        self._file.write(bytes(_HEADER_BYTES))

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Add rows at the end."""
        self._write_at(self.rows, rows)

    def place(self, rows: npt.NDArray[Any], places: npt.NDArray[np.integer]) -> None:
        """Put row i at `places[i]`; every place must be filled in the end."""
        breaks = np.flatnonzero(np.diff(places) != 1) + 1
        for first, end in zip([0, *breaks], [*breaks, len(places)], strict=True):
            self._write_at(int(places[first]), rows[first:end])

    def _write_at(self, place: int, rows: npt.NDArray[Any]) -> None:
        view = np.ascontiguousarray(rows, self.dtype).reshape(-1).view(np.uint8).data
        self._file.seek(_HEADER_BYTES + place * self._row_bytes)
        while view:
            view = view[self._file.write(view) :]
        self.rows = max(self.rows, place + len(rows))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if error is None:
                self._file.seek(0)
                self._file.write(self._header())

    def _header(self) -> bytes:
        shape = (self.rows, *self._row_shape)
        text = repr({"descr": self.dtype.str, "fortran_order": False, "shape": shape})
        start = b"\x93NUMPY\x01\x00" + (_HEADER_BYTES - 10).to_bytes(2, "little")
        return start + text.encode().ljust(_HEADER_BYTES - 11) + b"\n"


class UnitRows:
    """Brings rows to unit length in the type they are kept in, and remembers which are unusable.

    float16 is kept as float16; float32 and float64 become float32.
    """

    def __init__(self, source: np.dtype[Any]) -> None:
        self.dtype = np.dtype(np.float16 if source.itemsize == 2 else np.float32)
        self.changed = 0
        """Rows whose length was not 1."""
        self.norms = (np.inf, -np.inf)
        """Smallest and largest norm met, in usable rows."""
        self._tolerance = UNIT_TOLERANCE[source.itemsize]
        self._not_finite: list[npt.NDArray[np.bool_]] = []
        self._zero: list[npt.NDArray[np.bool_]] = []

    def add(self, rows: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """(n, D) rows as they are kept."""
        exact = rows.astype(np.float64)
        norms = np.sqrt(np.einsum("ij,ij->i", exact, exact))
        finite = np.isfinite(norms)
        if not finite.all():
            odd = np.flatnonzero(~finite)
            finite[odd] = np.isfinite(exact[odd]).all(axis=1)
            exact[~finite] = 0
            huge = odd[finite[odd]]  # float64 whose squares overflow
            exact[huge] /= np.abs(exact[huge]).max(axis=1, keepdims=True)
            norms[huge] = np.sqrt(np.einsum("ij,ij->i", exact[huge], exact[huge]))
        usable = finite & (norms >= ZERO_NORM)
        self._not_finite.append(~finite)
        self._zero.append(finite & ~usable)
        if usable.any():
            low, high = norms[usable].min(), norms[usable].max()
            self.norms = (min(self.norms[0], float(low)), max(self.norms[1], float(high)))
        off = usable & (np.abs(norms - 1) > self._tolerance)
        if not off.any():
            return exact.astype(self.dtype)
        self.changed += int(off.sum())
        exact[off] /= norms[off, None]
        return exact.astype(self.dtype)

    def unusable(self) -> Iterator[tuple[npt.NDArray[np.bool_], str]]:
        """(rows,) which of the rows met so far have no direction, and what is wrong with them."""
        yield np.concatenate(self._not_finite), "NaN or infinite values"
        yield np.concatenate(self._zero), "zero vectors"

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.changed, "norm_min": self.norms[0], "norm_max": self.norms[1]}

    def notes(self, rows: int) -> list[str]:
        """What to tell the user about it, if anything."""
        if not self.changed:
            return []
        low, high = self.norms
        return [
            f"{self.changed} of {rows} vectors were not unit length "
            f"(norms {low:.4g} to {high:.4g}) and were divided by their norm"
        ]


class RowTable:
    """Numbers distinct rows by content, in the order of their first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, rows: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """The number of each of (n, D) rows, and which of them are new, in order.

        Rows are told apart by a 128-bit BLAKE2b of their bytes: among 10⁷ rows the odds of one
        collision are below 10⁻²⁴.
        """
        width = rows.shape[1] * rows.itemsize
        data = np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data
        numbers, table, digest_of = [], self._numbers, hashlib.blake2b
        new = []
        for index in range(len(rows)):
            digest = digest_of(data[index * width : (index + 1) * width], digest_size=16).digest()
            following = len(table)
            number = table.setdefault(digest, following)
            if number == following:
                new.append(index)
            numbers.append(number)
        return np.array(numbers, np.int32), np.array(new, np.int64)


def save_array(path: Path, array: npt.NDArray[Any]) -> None:
    """A small array as .npy."""
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def map_array(path: Path) -> npt.NDArray[Any]:
    """A read-only memory map of a .npy; a plain empty array where there is nothing to map."""
    if path.stat().st_size <= _HEADER_BYTES:
        return np.load(path, allow_pickle=False)  # type: ignore[no-any-return]
    return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
