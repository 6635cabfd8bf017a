"""What a request says: bytes → checked values, or one sentence about what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from lvm.settings import CONTEXT_LENGTH

FloatArray = npt.NDArray[np.float32]

UNIT_TOLERANCE = 1e-3
"""A vector whose length is within this of 1 is taken as it is."""
_SMALLEST, _LARGEST = 1e-6, 1e6
"""Lengths outside of these are a mistake, not another scale."""
_NUMBERS = {float, int}

MOST_MESSAGES = 1000
TEMPERATURES = (0.0, 2.0)


class BadRequestError(Exception):
    """A request that is refused: its status and one sentence for the client."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, eq=False)
class PredictRequest:
    contexts: FloatArray
    """(5, dim) unit rows, oldest first."""
    rescaled: int
    """How many of the five came with another length than 1."""


@dataclass(frozen=True)
class ChatRequest:
    messages: tuple[str, ...]
    """Oldest first; at least one, none empty."""
    temperature: float
    """0: always the nearest text."""
    seed: int | None
    """Of the draw; None: another draw every time."""


def parse_document(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises BadRequestError (400)."""
    if not body.strip():
        raise BadRequestError(400, "the body is empty; send a JSON object")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(400, f"the body is not JSON: {_one_line(str(error))}") from error
    if not isinstance(document, dict):
        raise BadRequestError(
            422, f"the body is {_kind(document)}; it must be an object like {{…}}"
        )
    return document


def parse_predict(document: dict[str, Any], dim: int) -> PredictRequest:
    """The five vectors, brought to length 1. Raises BadRequestError (422)."""
    _check_keys(document, required="context_vectors")
    rows = document["context_vectors"]
    need = f"context_vectors must be {CONTEXT_LENGTH} lists of {dim} numbers, oldest first"
    if not isinstance(rows, list):
        raise BadRequestError(422, f"context_vectors is {_kind(rows)}; {need}")
    if len(rows) != CONTEXT_LENGTH:
        raise BadRequestError(422, f"context_vectors has {len(rows)} vectors; {need}")
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise BadRequestError(422, f"context_vectors[{number}] is {_kind(row)}; {need}")
        if len(row) != dim:
            raise BadRequestError(
                422, f"context_vectors[{number}] has {len(row)} numbers; this model reads {dim}"
            )
        if not _NUMBERS.issuperset(map(type, row)):
            place, value = next((i, v) for i, v in enumerate(row) if type(v) not in _NUMBERS)
            raise BadRequestError(
                422, f"context_vectors[{number}][{place}] is {_kind(value)}, not a number"
            )
    return _unit(np.array(rows, np.float64))


def parse_chat(document: dict[str, Any]) -> ChatRequest:
    """Texts of the messages, temperature, seed. Raises BadRequestError (422)."""
    _check_keys(document, required="messages", optional=("temperature", "seed"))
    return ChatRequest(
        messages=_messages(document["messages"]),
        temperature=_temperature(document.get("temperature")),
        seed=_seed(document.get("seed")),
    )


def _unit(rows: npt.NDArray[np.float64]) -> PredictRequest:
    with np.errstate(over="ignore"):  # an infinite length is refused with the others
        lengths = np.linalg.norm(rows, axis=1)
    for number, length in enumerate(lengths):
        if not _SMALLEST <= length <= _LARGEST:
            raise BadRequestError(
                422,
                f"context_vectors[{number}] has length {length:.3g}; only its direction counts, "
                f"but that must be one: give a unit vector",
            )
    off = np.abs(lengths - 1) > UNIT_TOLERANCE
    rows[off] /= lengths[off, None]
    return PredictRequest(rows.astype(np.float32), int(off.sum()))


def _messages(values: object) -> tuple[str, ...]:
    need = 'messages must be a list of texts, or of objects {"role": "user", "content": "…"}'
    if not isinstance(values, list):
        raise BadRequestError(422, f"messages is {_kind(values)}; {need}")
    if not 1 <= len(values) <= MOST_MESSAGES:
        raise BadRequestError(
            422, f"messages has {len(values)} entries; it must have 1 to {MOST_MESSAGES}"
        )
    texts = []
    for number, value in enumerate(values):
        text = value.get("content") if isinstance(value, dict) else value
        if not isinstance(text, str):
            raise BadRequestError(422, f"messages[{number}] has no text; {need}")
        if isinstance(value, dict) and not isinstance(value.get("role", ""), str):
            raise BadRequestError(422, f"messages[{number}].role is no text; {need}")
        texts.append(text)
    if not texts[-1].strip():
        raise BadRequestError(422, "the last message is empty; there is nothing to answer")
    return tuple(text for text in texts if text.strip())


def _temperature(value: object) -> float:
    low, high = TEMPERATURES
    if value is None:
        return 0.0
    if type(value) not in _NUMBERS or not low <= value <= high:  # type: ignore[operator]
        raise BadRequestError(422, f"temperature must be a number from {low:g} to {high:g}")
    return float(value)  # type: ignore[arg-type]


def _seed(value: object) -> int | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    raise BadRequestError(422, "seed must be a whole number from 0 up, or left out")


def _check_keys(document: dict[str, Any], required: str, optional: Sequence[str] = ()) -> None:
    if required not in document:
        raise BadRequestError(422, f"no key {required!r}; found {_listed(document)}")
    unknown = [key for key in document if key != required and key not in optional]
    if unknown:
        known = ", ".join((required, *optional))
        raise BadRequestError(422, f"unknown key {_cut(unknown[0])!r}; known are: {known}")


def _listed(document: dict[str, Any]) -> str:
    return ", ".join(repr(_cut(key)) for key in list(document)[:5]) or "none"


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def _kind(value: object) -> str:
    """What a JSON value is, in JSON's own words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "a number"


def _one_line(text: str) -> str:
    return " ".join(text.split())
