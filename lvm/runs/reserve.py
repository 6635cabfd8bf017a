"""A little space kept back, so that a full disk can still be told of."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

SIZE = 256 * 1024
"""Bytes: enough for the last events of a run and a transaction of the store."""


class Reserve:
    """A file without meaning. `give_up()` frees its space just before a full disk is reported."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self) -> None:
        """Make it if it is not there whole. A disk that has no room even for this says so itself,
        at the first write that matters."""
        with contextlib.suppress(OSError):
            if not self._path.exists() or self._path.stat().st_size < SIZE:
                self._path.write_bytes(os.urandom(SIZE))  # zeros might be compressed away

    def give_up(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
