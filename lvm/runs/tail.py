"""The end of a file, without reading its beginning."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

_FIRST_BLOCK = 64 * 1024


def lines_backwards(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(offset, line) from the last line to the first, each with its newline.

    Only the first that is yielded may lack the newline: it is what a crash left unfinished.
    """
    position = file.seek(0, os.SEEK_END)
    size, rest = _FIRST_BLOCK, b""
    while position > 0:
        start = max(0, position - size)
        file.seek(start)
        rest = file.read(position - start) + rest
        position, size = start, size * 2
        lines = _split(rest)
        end = position + len(rest)
        while len(lines) > 1 or (lines and position == 0):
            line = lines.pop()
            end -= len(line)
            yield end, line
        rest = lines[0] if lines else b""


def _split(block: bytes) -> list[bytes]:
    """At newlines only, which they keep."""
    *whole, last = block.split(b"\n")
    return [line + b"\n" for line in whole] + ([last] if last else [])
