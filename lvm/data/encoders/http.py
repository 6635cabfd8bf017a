"""An encoder behind HTTP: POST {"texts": […]} → {"embeddings": [[…], …]}."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from lvm.clock import Clock, SystemClock
from lvm.data.encoders.base import Float32Array
from lvm.errors import RunError, SettingsError

TIMEOUT = 60.0
"""Seconds for one batch; a large model on a CPU needs some."""
RETRIES = 4
"""Tries after the first, 0.5, 1, 2 and 4 s apart."""
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
"""Seconds; a server that asks for more in Retry-After does not get it."""
BATCH_TEXTS = 64
BATCH_BYTES = 512 * 1024
_PATH = "/encode"
"""Where the existing stack's encoder listens; taken when the URL has no path."""
_KEYS = ("embeddings", "vectors")
_WORTH_RETRYING = {408, 425, 429, 500, 502, 503, 504}
_TOO_LARGE = 413
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class HttpEncoder:
    """Batches, retries what may pass, and checks what comes back.

    url: "http://localhost:7001/encode"; without a path, /encode is asked.
    timeout: seconds for one batch. retries: after the first try, with doubling pauses.

    The constructor sends nothing. Raises SettingsError for what is no http URL; `encode` and
    `dim` raise RunError when the server cannot be reached, refuses, or answers nonsense.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        batch_texts: int = BATCH_TEXTS,
        clock: Clock | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"{url!r} is no address of an encoder", fix="like http://localhost:7001/encode"
            )
        self.url = parts._replace(path=_PATH).geturl() if parts.path in ("", "/") else url
        self.name = self.url
        self._is_local = parts.hostname in _LOOPBACK
        self._timeout = timeout
        self._retries = retries
        self._batch_texts = batch_texts
        self._clock = clock or SystemClock()
        self._dim: int | None = None

    @property
    def dim(self) -> int:
        """Width of the vectors; asks the server with one word if nothing was encoded yet."""
        if self._dim is None:
            self.encode(["dimension"])
        assert self._dim is not None
        return self._dim

    def encode(self, texts: Sequence[str]) -> Float32Array:
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        # A proxy for the outside world knows nothing of this machine's own ports.
        with httpx.Client(timeout=self._timeout, trust_env=not self._is_local) as client:
            return np.concatenate(
                [self._encode_batch(client, batch) for batch in self._batches(texts)]
            )

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        size = 0
        for text in texts:
            length = len(text.encode())
            if batch and (len(batch) == self._batch_texts or size + length > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(text)
            size += length
        yield batch

    def _encode_batch(self, client: httpx.Client, texts: list[str]) -> Float32Array:
        response = self._post(client, texts)
        if response.status_code == _TOO_LARGE and len(texts) > 1:
            half = len(texts) // 2
            return np.concatenate(
                [self._encode_batch(client, part) for part in (texts[:half], texts[half:])]
            )
        if response.is_error:
            raise self._error(
                f"the encoder answered {response.status_code} {response.reason_phrase}: "
                f"{response.text[:200]!r}",
                'check the address; the encoder must take POST {"texts": [...]}',
            )
        return self._checked(self._read(response), len(texts))

    def _post(self, client: httpx.Client, texts: list[str]) -> httpx.Response:
        """The last answer: a good one, or one that trying again does not mend."""
        wait = FIRST_WAIT
        for tries_left in range(self._retries, -1, -1):
            try:
                response = client.post(self.url, json={"texts": texts})
            except httpx.TransportError as error:
                if not tries_left:
                    raise self._error(
                        f"no answer from the encoder after {self._retries + 1} tries: "
                        f"{error or type(error).__name__}",
                        "start the encoder, or give another with --encoder",
                    ) from error
                pause = wait
            else:
                if response.status_code not in _WORTH_RETRYING or not tries_left:
                    return response
                pause = max(wait, _retry_after(response))
            self._clock.sleep(min(pause, LONGEST_WAIT))
            wait *= 2
        raise AssertionError("the last try returns or raises")

    def _read(self, response: httpx.Response) -> Any:
        fix = f'it must answer {{"{_KEYS[0]}": [[…], …]}}, one list of numbers a text'
        try:
            document = response.json()
        except ValueError as error:
            raise self._error(f"the answer is not JSON: {response.text[:200]!r}", fix) from error
        if not isinstance(document, dict) or not any(key in document for key in _KEYS):
            found = sorted(document) if isinstance(document, dict) else type(document).__name__
            raise self._error(f"the answer has no embeddings; found {found}", fix)
        return next(document[key] for key in _KEYS if key in document)

    def _checked(self, rows: Any, expected: int) -> Float32Array:
        try:
            vectors = np.asarray(rows, np.float32)
        except (TypeError, ValueError) as error:
            raise self._error(f"the embeddings are no table of numbers: {error}") from error
        if vectors.ndim != 2 or len(vectors) != expected or vectors.shape[1] == 0:
            raise self._error(f"{expected} texts sent, embeddings of shape {vectors.shape} came")
        if self._dim is not None and vectors.shape[1] != self._dim:
            raise self._error(f"the width changed from {self._dim} to {vectors.shape[1]}")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            bad = int(np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))[0])
            raise self._error(f"embedding {bad} of the batch is zero, NaN or infinite")
        self._dim = int(vectors.shape[1])
        return np.asarray(vectors / lengths, np.float32)

    def _error(self, what: str, fix: str = "look into the encoder's log") -> RunError:
        return RunError(what, where=self.url, fix=fix)


def _retry_after(response: httpx.Response) -> float:
    """Seconds that the server asks to wait; 0 where it does not say, or says a date."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0.0
