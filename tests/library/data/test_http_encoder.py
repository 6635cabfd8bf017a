"""Vectors over HTTP, against a real server: batches, waiting, refusals."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from lvm.data.encoders import (
    HttpEncoder,
    open_encoder,
)
from lvm.errors import RunError, SettingsError

Answer = Callable[[list[str], int], tuple[int, Any]]
"""(texts, number of the request) → (status, JSON document, or bytes, or headers and document)."""


def embed(texts: list[str]) -> list[list[float]]:
    return [[float(len(text)), 3.0, 4.0] for text in texts]


class Server:
    """A real HTTP server on a free port, answering as a test says."""

    def __init__(self, answer: Answer) -> None:
        self.requests: list[list[str]] = []
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                texts = json.loads(body)["texts"]
                outer.requests.append(texts)
                outer.paths.append(self.path)
                status, document = answer(texts, len(outer.requests))
                headers = {}
                if isinstance(document, tuple):
                    headers, document = document
                content = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Server]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class Clock:
    """Sleeps in no time and remembers how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.mark.parametrize("key", ["embeddings", "vectors"])
def test_http_answers_under_either_key_become_unit_vectors(key: str) -> None:
    with Server(lambda texts, _: (200, {key: embed(texts), "model": "x"})).running() as server:
        vectors = HttpEncoder(server.url + "/v1/embed?kind=a").encode(["", "x" * 12])

    assert server.paths == ["/v1/embed?kind=a"]
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[0, 0.6, 0.8], [12 / 13, 3 / 13, 4 / 13]], atol=1e-6)


def test_an_address_without_a_path_means_encode() -> None:
    with Server(lambda texts, _: (200, {"embeddings": embed(texts)})).running() as server:
        encoder = open_encoder(server.url)
        encoder.encode(["a"])

    assert server.paths == ["/encode"]
    assert encoder.name == server.url + "/encode"


def test_the_width_is_asked_for_when_nothing_was_encoded_yet() -> None:
    with Server(lambda texts, _: (200, {"embeddings": embed(texts)})).running() as server:
        encoder = HttpEncoder(server.url)
        assert encoder.dim == 3
        assert encoder.encode([]).shape == (0, 3)

    assert len(server.requests) == 1


def test_batches_are_limited_in_texts_and_bytes() -> None:
    texts = ["short"] * 5 + ["x" * 300_000, "y" * 300_000, "z"]
    with Server(lambda texts, _: (200, {"embeddings": embed(texts)})).running() as server:
        vectors = HttpEncoder(server.url, batch_texts=3).encode(texts)

    assert [len(batch) for batch in server.requests] == [3, 3, 2]
    assert [text for batch in server.requests for text in batch] == texts
    assert len(vectors) == 8


def test_a_batch_that_the_server_finds_too_large_is_halved() -> None:
    def answer(texts: list[str], _: int) -> tuple[int, Any]:
        return (200, {"embeddings": embed(texts)}) if len(texts) <= 2 else (413, {})

    with Server(answer).running() as server:
        vectors = HttpEncoder(server.url).encode(["a", "bb", "ccc", "dddd", "eeeee"])

    assert [len(batch) for batch in server.requests] == [5, 2, 3, 1, 2]
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1] * 3, [1, 2, 3, 4, 5], rtol=1e-5)


def test_a_busy_server_is_asked_again_after_growing_pauses() -> None:
    def answer(texts: list[str], number: int) -> tuple[int, Any]:
        return (200, {"embeddings": embed(texts)}) if number > 3 else (503, b"busy")

    clock = Clock()
    with Server(answer).running() as server:
        HttpEncoder(server.url, clock=clock).encode(["a"])

    assert clock.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(("asked", "waited"), [("7", 7.0), ("3600", 30.0), ("tomorrow", 0.5)])
def test_a_pause_that_the_server_asks_for_is_kept_within_reason(asked: str, waited: float) -> None:
    def answer(texts: list[str], number: int) -> tuple[int, Any]:
        if number == 1:
            return 429, ({"Retry-After": asked}, {})
        return 200, {"embeddings": embed(texts)}

    clock = Clock()
    with Server(answer).running() as server:
        HttpEncoder(server.url, clock=clock).encode(["a"])

    assert clock.slept == [waited]


def test_after_the_last_try_the_servers_own_words_are_shown() -> None:
    clock = Clock()
    with (
        Server(lambda *_: (503, b"warming up")).running() as server,
        pytest.raises(RunError) as caught,
    ):
        HttpEncoder(server.url, retries=2, clock=clock).encode(["a"])

    assert len(server.requests) == 3
    assert "503 Service Unavailable: 'warming up'" in caught.value.what
    assert caught.value.where == server.url + "/encode"


def test_a_refusal_is_not_repeated() -> None:
    with (
        Server(lambda *_: (404, b"no such route")).running() as server,
        pytest.raises(RunError, match="404 Not Found: 'no such route'"),
    ):
        HttpEncoder(server.url).encode(["a"])

    assert len(server.requests) == 1


def test_a_server_that_is_not_there_is_named_after_all_tries() -> None:
    with Server(lambda *_: (200, {})).running() as server:
        pass
    clock = Clock()

    with pytest.raises(RunError, match="no answer from the encoder after 5 tries") as caught:
        HttpEncoder(server.url, clock=clock).encode(["a"])

    assert clock.slept == [0.5, 1.0, 2.0, 4.0]
    assert caught.value.where == server.url + "/encode"


def test_a_server_that_does_not_answer_in_time_is_given_up() -> None:
    released = threading.Event()

    def answer(texts: list[str], _: int) -> tuple[int, Any]:
        released.wait(20)
        return 200, {"embeddings": embed(texts)}

    with Server(answer).running() as server:
        try:
            with pytest.raises(RunError, match="no answer from the encoder after 1 tries"):
                HttpEncoder(server.url, timeout=0.05, retries=0, clock=Clock()).encode(["a"])
        finally:
            released.set()


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (b"<html>", "the answer is not JSON: '<html>'"),
        ({"data": []}, r"the answer has no embeddings; found \['data'\]"),
        ([[1.0, 2.0]], "the answer has no embeddings; found list"),
        ({"embeddings": [[1.0, 2.0]]}, r"2 texts sent, embeddings of shape \(1, 2\) came"),
        ({"embeddings": [1.0, 2.0]}, r"2 texts sent, embeddings of shape \(2,\) came"),
        ({"embeddings": [[], []]}, r"2 texts sent, embeddings of shape \(2, 0\) came"),
        ({"embeddings": [[1.0], [1.0, 2.0]]}, "the embeddings are no table of numbers"),
        ({"embeddings": [["a"], ["b"]]}, "the embeddings are no table of numbers"),
        ({"embeddings": None}, r"2 texts sent, embeddings of shape \(\) came"),
        ({"embeddings": [[1.0, 2.0], [0.0, 0.0]]}, "embedding 1 of the batch is zero, NaN"),
        (b'{"embeddings": [[NaN, 1.0], [1.0, 1.0]]}', "embedding 0 of the batch is zero, NaN"),
    ],
)
def test_nonsense_is_never_taken_for_vectors(document: Any, what: str) -> None:
    with (
        Server(lambda *_: (200, document)).running() as server,
        pytest.raises(RunError, match=what),
    ):
        HttpEncoder(server.url).encode(["a", "b"])


def test_a_width_that_changes_between_batches_is_refused() -> None:
    def answer(texts: list[str], number: int) -> tuple[int, Any]:
        return 200, {"embeddings": [[1.0] * (number + 1) for _ in texts]}

    with (
        Server(answer).running() as server,
        pytest.raises(RunError, match="the width changed from 2 to 3"),
    ):
        HttpEncoder(server.url, batch_texts=1).encode(["a", "b"])


@pytest.mark.parametrize("url", ["http://", "ftp://host/encode", "localhost:7001"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="no address of an encoder"):
        HttpEncoder(url)
