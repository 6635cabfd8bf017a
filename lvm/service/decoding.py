"""Vectors → texts: the bank's own chunks, or a decoder behind HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import numpy as np
import numpy.typing as npt

from lvm.data.bank import VectorBank
from lvm.data.encoders import Encoder
from lvm.errors import RunError, SettingsError
from lvm.service.nearest import nearest_rows

FloatArray = npt.NDArray[np.float32]

TOP = 10
"""Chunks among which a temperature above 0 draws."""
DECODER_SECONDS = 60.0
"""vec2text takes several steps for a text; on a CPU that is seconds."""
_DECODE_PATH = "/decode"
_TEXT_KEYS = ("texts", "results", "decoded")
_ENTRY_KEYS = ("text", "decoded", "decoded_text", "output")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Decoded:
    """A vector as text."""

    text: str
    similarity: float
    """Cosine of the vector and the text's own vector."""
    row: int | None = None
    """Of the bank, where the text is one of its chunks."""
    article: str | None = None
    chunk: int | None = None
    """Its number in the article."""
    nearest: int | None = None
    """The row that is nearest, whichever was drawn."""

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "similarity": self.similarity,
            "row": self.row,
            "article": self.article,
            "chunk": self.chunk,
        }


class Decoder(Protocol):
    def decode(
        self, vectors: FloatArray, temperature: float, random: np.random.Generator
    ) -> list[Decoded]:
        """(n, D) unit vectors → n texts. Raises RunError."""
        ...


class BankDecoder:
    """The chunk of a bank with texts that is nearest, or one drawn from the nearest ten."""

    def __init__(self, bank: VectorBank) -> None:
        self._bank = bank

    def decode(
        self, vectors: FloatArray, temperature: float, random: np.random.Generator
    ) -> list[Decoded]:
        bank = self._bank
        rows, cosines = nearest_rows(bank, vectors, TOP if temperature else 1)
        decoded = []
        for places, near in zip(rows, cosines, strict=True):
            chosen = int(random.choice(len(near), p=weights(near, temperature)))
            row = int(places[chosen])
            decoded.append(
                Decoded(
                    text=bank.text(row) or "",
                    similarity=float(near[chosen]),
                    row=row,
                    article=bank.article_name(bank.article_of_row(row)),
                    chunk=int(bank.chunk_indices[row]),
                    nearest=int(places[0]),
                )
            )
        return decoded


def weights(cosines: FloatArray, temperature: float) -> npt.NDArray[np.float64]:
    """Probabilities of candidates, the nearest first: softmax(cosine / (temperature · spread)).

    The spread, first minus last, makes a temperature mean the same on every bank: at 1 the last
    of them is e times less likely than the first. 0: the nearest alone.
    """
    fall = np.asarray(cosines[0] - cosines, np.float64)
    if temperature == 0:
        chances = np.zeros(len(fall))
        chances[0] = 1.0
        return chances
    chances = np.exp(-fall / (temperature * max(float(fall[-1]), 1e-9)))
    return np.asarray(chances / chances.sum())


class HttpDecoder:
    """A decoder behind HTTP: POST {"vectors": [[…], …]} → {"texts": ["…", …]}.

    The list may also be called "results" or "decoded", its entries may be objects with "text".
    The temperature stays here: such a decoder has one text for a vector. The encoder reads the
    text again: how near it comes is the similarity.
    """

    def __init__(self, url: str, encoder: Encoder, seconds: float = DECODER_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"{url!r} is no address of a decoder", fix="like http://localhost:7002/decode"
            )
        self.url = parts._replace(path=_DECODE_PATH).geturl() if parts.path in ("", "/") else url
        self._encoder = encoder
        self._http = httpx.Client(timeout=seconds, trust_env=parts.hostname not in _LOOPBACK)

    def decode(
        self,
        vectors: FloatArray,
        temperature: float,  # noqa: ARG002 - the protocol's
        random: np.random.Generator,  # noqa: ARG002
    ) -> list[Decoded]:
        texts = self._ask(vectors)
        read = self._encoder.encode(texts)
        return [
            Decoded(text, float(np.dot(vector, again)))
            for text, vector, again in zip(texts, vectors, read, strict=True)
        ]

    def _ask(self, vectors: FloatArray) -> list[str]:
        try:
            response = self._http.post(self.url, json={"vectors": vectors.tolist()})
            response.raise_for_status()
            document = response.json()
        except httpx.HTTPStatusError as error:
            answer = error.response
            raise self._error(
                f"the decoder answered {answer.status_code}: {answer.text[:200]!r}"
            ) from error
        except httpx.TransportError as error:
            raise self._error(f"no answer from the decoder: {error!r}") from error
        except ValueError as error:
            raise self._error("the decoder's answer is not JSON") from error
        return self._texts(document, len(vectors))

    def _texts(self, document: Any, expected: int) -> list[str]:
        found = document if isinstance(document, dict) else {}
        entries = next((found[key] for key in _TEXT_KEYS if key in found), None)
        if not isinstance(entries, list) or len(entries) != expected:
            raise self._error(f'the decoder must answer {{"texts": [{expected} texts]}}')
        texts = [_text_of(entry) for entry in entries]
        if None in texts:
            raise self._error("the decoder's texts are no texts")
        return [text or "" for text in texts]

    def _error(self, what: str) -> RunError:
        return RunError(what, where=self.url, fix="look into the decoder's log")


def _text_of(entry: Any) -> str | None:
    if isinstance(entry, dict):
        entry = next((entry[key] for key in _ENTRY_KEYS if key in entry), None)
    return entry if isinstance(entry, str) else None
