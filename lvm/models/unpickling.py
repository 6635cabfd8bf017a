"""Reading `.pt` files as data: tensors, plain values and NumPy scalars, and nothing that runs.

Old checkpoints hold NumPy scalars. NumPy itself is kept out of it: the names under which
NumPy 1 and 2 pickle a scalar are given to two small stand-ins, which turn the scalar's bytes
into a Python number and refuse everything else.
"""

from __future__ import annotations

import pickle
import struct
import threading
import zlib
from typing import IO, Any

import torch

_FORMATS = {
    "f2": "e", "f4": "f", "f8": "d",
    "i1": "b", "i2": "h", "i4": "i", "i8": "q",
    "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
    "b1": "?",
}  # fmt: skip
"""NumPy's names of the scalar types that are allowed → the formats of `struct`."""

MALFORMED = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    ImportError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What torch.load raises, depending on where it stumbles over a broken or hostile file."""

_lock = threading.Lock()  # the list of allowed names is one for the whole process


class _ScalarType:
    """Stands for numpy.dtype(name, align, copy)."""

    def __init__(self, name: object, *_: object) -> None:
        if not isinstance(name, str) or name not in _FORMATS:
            raise pickle.UnpicklingError(f"GLOBAL numpy.dtype({name!r}) is not a number")
        self.format = "<" + _FORMATS[name]

    def __setstate__(self, state: tuple[object, ...]) -> None:
        if state[1] == ">":
            self.format = ">" + self.format[1:]


def _scalar(kind: object, data: object) -> object:
    """Stands for numpy.core.multiarray.scalar(dtype, bytes)."""
    if not isinstance(kind, _ScalarType) or not isinstance(data, bytes):
        raise pickle.UnpicklingError("GLOBAL numpy scalar of an unknown type")
    return struct.unpack(kind.format, data)[0]


_ALLOWED: list[Any] = [
    _ScalarType,
    (_ScalarType, "numpy.dtype"),
    (_scalar, "numpy.core.multiarray.scalar"),
    (_scalar, "numpy._core.multiarray.scalar"),
]


def load_data(file: IO[bytes], device: torch.device | str) -> Any:
    """What `torch.save` wrote, tensors on `device`, NumPy scalars as Python numbers.

    Raises one of MALFORMED when it holds anything else; nothing in the file is ever executed.
    """
    with _lock, torch.serialization.safe_globals(_ALLOWED):
        return torch.load(file, map_location=device, weights_only=True)


def what_is_wrong(content: bytes) -> str:
    """Why bytes that `load_data` refused are no checkpoint, in a person's words."""
    size = f"{len(content):,} bytes"
    if not content:
        return "is not a checkpoint: the file is empty"
    if content.startswith(_ZIP_BEGINS):
        if _has_end(content):
            return f"is not a checkpoint: a whole archive of {size}, but damaged or of another kind"
        return f"is not a checkpoint any more: it was cut off after {size}, its end is missing"
    if content.startswith(_PICKLE_BEGINS):
        return f"is not a checkpoint: {size} in the oldest format, cut off or with more than data"
    return f"is not a checkpoint: {size} that torch.save did not write"


def _has_end(archive: bytes) -> bool:
    """Whether the record that ends a zip archive is there, as a whole."""
    at = archive.rfind(_ZIP_ENDS)
    return at >= 0 and len(archive) - at >= _ZIP_END_SIZE


_ZIP_BEGINS, _ZIP_ENDS, _PICKLE_BEGINS = b"PK\x03\x04", b"PK\x05\x06", b"\x80"
_ZIP_END_SIZE = 22
