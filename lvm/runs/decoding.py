"""Lines of `events.jsonl` to events: batches, which are nearly all of a long log, in bulk.

A batch line is decoded straight into its fields, without a dict and an event in between; a
million of them take half a second. Every other line, and every batch line that is not as this
version writes it, takes the way of `lvm.records.record_of`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Protocol

from lvm.records import Record, record_of

_BATCH = b'"type":"batch",'
"""What the line of a batch has in it, behind its number and time."""

_HEAD = 80
"""Bytes of a line that hold these three."""


class BatchLine(Protocol):
    """A batch event with its place in the log; the fields of `lvm.events.Batch`. Numbers that
    were not finite are None."""

    seq: int
    time: float
    epoch: int
    step: int
    batch: int
    batches: int
    loss: float | None
    cosine: float | None
    learning_rate: float | None
    samples_per_second: float | None
    memory_mb: float | None


@dataclass(frozen=True, slots=True)
class Batches:
    """Batch events that stand next to one another in a log, oldest first; at least one."""

    lines: Sequence[BatchLine]

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What whole lines hold, in their order."""

    items: list[Record | Batches]
    bad: int
    """Lines that are no events. Types that this version does not know are none of them."""


def decode_records(block: bytes) -> tuple[list[Record], int]:
    """Every line of `block` (whole lines) as a record, and how many are no events."""
    lines = block.split(b"\n")[:-1]
    return _records(lines)


def decode_in_bulk(block: bytes, *, batches: bool = True) -> Decoded:
    """The same with batches in bulk, or left out."""
    lines = block.split(b"\n")[:-1]
    flags = [line.find(_BATCH, 0, _HEAD) > 0 for line in lines]
    if not batches:
        records, bad = _records(
            [line for line, is_batch in zip(lines, flags, strict=True) if not is_batch]
        )
        return Decoded(list(records), bad)
    found = _batch_lines([line for line, is_batch in zip(lines, flags, strict=True) if is_batch])
    if found is None:
        records, bad = _records(lines)
        return Decoded(list(records), bad)
    if found and len(found) == len(lines):
        return Decoded([Batches(found)], 0)
    items: list[Record | Batches] = []
    bad = at = taken = 0
    for is_batch, group in groupby(flags):
        count = sum(1 for _ in group)
        if not is_batch:
            records, more = _records(lines[at : at + count])
            items += records
            bad += more
        else:
            items.append(Batches(found[taken : taken + count]))
            taken += count
        at += count
    return Decoded(items, bad)


def document_of(line: str | bytes) -> Any:
    """The JSON value of a line, None where there is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _records(lines: Sequence[bytes]) -> tuple[list[Record], int]:
    records: list[Record] = []
    bad = 0
    for document in _documents(lines):
        try:
            record = record_of(document)
        except ValueError:
            bad += 1
            continue
        if record is not None:
            records.append(record)
    return records, bad


def _documents(lines: Sequence[bytes]) -> Iterator[Any]:
    _, parse = _decoders()
    for line in lines:
        try:
            yield parse(line)
        except (ValueError, RecursionError):
            # not as this version writes it: NaN, bytes that are no text, or no JSON at all
            yield document_of(line.decode(errors="replace"))


def _batch_lines(lines: Sequence[bytes]) -> list[BatchLine] | None:
    """None if one of them is not a batch as this version writes it."""
    decode, _ = _decoders()
    try:
        return list(map(decode, lines))
    except (ValueError, RecursionError):
        return None


@cache
def _decoders() -> tuple[Callable[[bytes], BatchLine], Callable[[bytes], Any]]:
    """Of a batch line, and of any JSON value. Both raise ValueError or RecursionError."""
    import msgspec  # 0.02 s: not before the first paint

    class Line(msgspec.Struct, tag_field="type", tag="batch", gc=False):
        seq: int
        time: float
        epoch: int
        step: int
        batch: int
        batches: int
        loss: float | None
        cosine: float | None
        learning_rate: float | None
        samples_per_second: float | None
        memory_mb: float | None = 0.0

    return msgspec.json.Decoder(Line).decode, msgspec.json.Decoder().decode
