"""Events on disk: a line of `events.jsonl` for each, with its number and its time."""

from __future__ import annotations

import dataclasses
import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lvm.events import TYPES, Event


@dataclass(frozen=True, slots=True)
class Record:
    """An event with its place in the log."""

    seq: int
    """From 0, no gaps."""
    time: float
    """Unix time, seconds."""
    event: Event


def encode(record: Record) -> str:
    """One line of `events.jsonl`, without the newline. Infinite and NaN numbers become null."""
    document = {"seq": record.seq, "time": round(record.time, 3), "type": record.event.kind()}
    for item in dataclasses.fields(record.event):
        document[item.name] = getattr(record.event, item.name)
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(document), ensure_ascii=False, separators=(",", ":"))


def decode(line: str) -> Record | None:
    """The record of a line; None for a type that this version does not know.

    Raises ValueError (json.JSONDecodeError among them) when the line is not an event at all.
    """
    return record_of(json.loads(line))


def record_of(document: Any) -> Record | None:
    """The record of a parsed line, as `decode`; lean, for logs of millions of lines."""
    try:
        seq, time = document["seq"], document["time"]
        kind, values_of = _READERS[document["type"]]
        if type(seq) is int and type(time) is float:
            return Record(seq, time, kind(*values_of(document)))
    except (KeyError, TypeError):  # a field or a type that is missing or unknown, or no event
        pass
    return _tolerant_record_of(document)


def _tolerant_record_of(document: Any) -> Record | None:
    if not isinstance(document, dict) or not isinstance(document.get("seq"), int):
        raise ValueError("not an event: no seq")
    kind = TYPES.get(str(document.get("type")))
    if kind is None:
        return None
    values = {f.name: document[f.name] for f in dataclasses.fields(kind) if f.name in document}
    try:
        return Record(document["seq"], float(document.get("time", 0.0)), kind(**values))
    except TypeError as error:  # a field without default is missing, or the time is no number
        raise ValueError(f"{document['type']}: {error}") from error


def _values_of(kind: type[Event]) -> Callable[[dict[str, Any]], Sequence[Any]]:
    names = [item.name for item in dataclasses.fields(kind)]
    if len(names) < 2:  # itemgetter makes a tuple of two or more
        return lambda document: [document[name] for name in names]
    return operator.itemgetter(*names)


_READERS = {name: (kind, _values_of(kind)) for name, kind in TYPES.items()}
"""type → its class, and what takes the class's fields, in order, out of a parsed line."""


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
