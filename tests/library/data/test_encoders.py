"""Encoders: LSA for real, HTTP against a real server, sentence-transformers at its seams."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvm.data.encoders import (
    DEFAULT_MODEL,
    HttpEncoder,
    LsaEncoder,
    SentenceTransformerEncoder,
    open_encoder,
)
from lvm.errors import DataError, InputError, RunError, SettingsError

SUBJECTS = ["whale", "harbour", "sailor", "storm", "anchor", "compass", "island", "captain"]
VERBS = ["follows", "fears", "forgets", "finds", "paints", "counts"]
TEXTS = [f"The {a} {verb} the {b}." for a in SUBJECTS for b in SUBJECTS for verb in VERBS if a != b]


# -- LSA --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lsa() -> LsaEncoder:
    return LsaEncoder.fit(TEXTS, dim=12, seed=0)


def test_lsa_gives_unit_vectors_of_the_width_asked_for(lsa: LsaEncoder) -> None:
    vectors = lsa.encode(TEXTS)

    assert vectors.shape == (len(TEXTS), 12)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_texts_that_share_words_are_nearer_than_texts_that_do_not(lsa: LsaEncoder) -> None:
    a, b, c = lsa.encode(["The whale fears the storm.", "A storm! A whale!", "Captain, anchor."])

    assert a @ b > 0.7
    assert a @ b > a @ c + 0.4


def test_a_vector_depends_on_its_own_text_only(lsa: LsaEncoder) -> None:
    alone = lsa.encode([TEXTS[40]])[0]

    np.testing.assert_allclose(lsa.encode(TEXTS)[40], alone, atol=1e-6)
    np.testing.assert_allclose(lsa.encode(TEXTS[::-1])[len(TEXTS) - 41], alone, atol=1e-6)


def test_the_same_seed_fits_the_same_encoder() -> None:
    first, again = (LsaEncoder.fit(TEXTS, dim=8, seed=5).encode(TEXTS) for _ in range(2))

    assert first.tobytes() == again.tobytes()


def test_a_corpus_of_low_rank_keeps_the_width_with_zeros_at_the_end() -> None:
    texts = ["red apple", "green pear", "red pear", "green apple"]
    wide = LsaEncoder.fit(texts, dim=768).encode(texts)
    narrow = LsaEncoder.fit(texts, dim=4).encode(texts)

    assert wide.shape == (4, 768)
    assert not wide[:, 4:].any()
    np.testing.assert_allclose(wide @ wide.T, narrow @ narrow.T, atol=1e-5)


def test_a_text_without_a_known_word_gets_the_usual_direction_and_is_counted(
    lsa: LsaEncoder,
) -> None:
    vectors, known = lsa.encode_known(["Xylophone qwerty?", "", "The whale."])
    mean = lsa.encode(TEXTS).mean(axis=0)

    assert known.tolist() == [False, False, True]
    np.testing.assert_allclose(vectors[0], mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_no_texts_give_no_vectors(lsa: LsaEncoder) -> None:
    assert lsa.encode([]).shape == (0, 12)


def test_one_text_is_enough_to_fit() -> None:
    encoder = LsaEncoder.fit(["A single chunk of text."], dim=16)

    assert encoder.encode(["single"])[0] == pytest.approx([1.0] + [0.0] * 15, abs=1e-6)


@pytest.mark.parametrize("texts", [[], [""], ["- ! ?", "a b c"]])
def test_fitting_on_no_words_is_refused(texts: list[str]) -> None:
    with pytest.raises(DataError, match=f"no words in {len(texts)} texts"):
        LsaEncoder.fit(texts, dim=4)


def test_a_width_below_one_is_refused() -> None:
    with pytest.raises(SettingsError, match="dim = 0"):
        LsaEncoder.fit(TEXTS, dim=0)


def test_text_without_spaces_is_read_by_the_character() -> None:
    encoder = LsaEncoder.fit(["猫が好き", "犬が好き", "鳥を見る", "猫を見る"], dim=4)

    _, known = encoder.encode_known(["猫", "象"])

    assert known.tolist() == [True, False]


def test_fitting_tells_how_far_it_is() -> None:
    told: list[tuple[str, int, int]] = []

    LsaEncoder.fit(TEXTS, dim=4, progress=lambda *step: told.append(step))

    assert told == [
        ("counting words", 0, len(TEXTS)),
        ("counting words", len(TEXTS), len(TEXTS)),
        ("finding directions", 0, 1),
        ("finding directions", 1, 1),
    ]


def test_of_a_large_corpus_evenly_spread_chunks_are_fitted_and_all_encoded() -> None:
    texts = [f"chunk {'even' if number % 2 == 0 else 'odd'}" for number in range(60_000)]
    told: list[tuple[str, int, int]] = []

    encoder = LsaEncoder.fit(texts, dim=2, progress=lambda *step: told.append(step))

    assert told[1] == ("counting words", 30_000, 30_000)
    assert encoder.vocabulary == ("chunk", "even")
    assert encoder.encode(texts).shape == (60_000, 2)


def test_a_saved_encoder_encodes_new_text_to_the_same_bits(lsa: LsaEncoder, tmp_path: Path) -> None:
    path = tmp_path / "sea.encoder.npz"
    lsa.save(path)
    new = ["Storm over the island", "nothing known"]

    for opened in (LsaEncoder.load(path), open_encoder(f"lsa:{path}"), open_encoder(str(path))):
        assert opened.dim == 12
        assert opened.name == f"lsa:{path}"
        assert opened.encode(new).tobytes() == lsa.encode(new).tobytes()


def test_a_saved_encoder_holds_nothing_to_unpickle(lsa: LsaEncoder, tmp_path: Path) -> None:
    path = tmp_path / "sea.npz"
    lsa.save(path)

    with np.load(path, allow_pickle=False) as file:
        assert {key: file[key].dtype.kind for key in file.files} == {
            "header": "u",
            "vocabulary": "u",
            "word_weights": "f",
            "components": "f",
            "usual": "f",
        }


def saved_with(path: Path, lsa: LsaEncoder, **changes: Any) -> Path:
    lsa.save(path)
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    arrays |= changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def header(**fields: Any) -> np.ndarray:
    return np.frombuffer(json.dumps(fields).encode(), np.uint8)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"components": None}, "not a saved LSA encoder"),
        ({"components": np.zeros((3, 12), np.float32)}, "a damaged LSA encoder"),
        ({"header": header(format=2, encoder="lsa", dim=12)}, "an encoder file of another kind"),
        ({"header": header(format=1, encoder="lsa", dim=5)}, "a damaged LSA encoder"),
        ({"header": np.frombuffer(b"{", np.uint8)}, "not a saved LSA encoder"),
        ({"usual": np.array([object()])}, "not a saved LSA encoder"),
    ],
)
def test_a_damaged_encoder_file_is_refused(
    lsa: LsaEncoder, tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    path = saved_with(tmp_path / "bad.npz", lsa, **changes)

    with pytest.raises(DataError, match=what) as caught:
        LsaEncoder.load(path)

    assert caught.value.where == str(path)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.npz"
    path.write_text("not a zip")

    with pytest.raises(DataError, match="not a saved LSA encoder"):
        open_encoder(f"lsa:{path}")


def test_a_missing_encoder_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        open_encoder(f"lsa:{tmp_path / 'gone.npz'}")


# -- HTTP -------------------------------------------------------------------------------------

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


# -- sentence-transformers --------------------------------------------------------------------


class Library(types.ModuleType):
    """Stands in for the package sentence-transformers, which the tests do not install."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__("sentence_transformers")
        self.opened: list[tuple[str, Any, bool]] = []
        library = self

        class SentenceTransformer:
            def __init__(self, source: str, *, device: Any, local_files_only: bool) -> None:
                library.opened.append((source, device, local_files_only))
                if "broken" in source:
                    raise OSError("no file named model.safetensors\nlong traceback")

            def get_sentence_embedding_dimension(self) -> int:
                return 2

            def encode(self, texts: list[str], **settings: Any) -> np.ndarray:
                assert settings["normalize_embeddings"]
                assert not settings["show_progress_bar"]
                return np.array([[0.6, 0.8]] * len(texts)) * scale

        self.SentenceTransformer = SentenceTransformer


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    return library


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # as if not installed

    with pytest.raises(InputError) as caught:
        open_encoder("st:some/model")

    assert caught.value.what == "the package sentence-transformers is not installed"
    assert caught.value.where == "encoder 'some/model'"
    assert caught.value.fix.startswith("pip install 'lvm-tui[encoders]'")


def test_a_folder_is_opened_without_the_network(library: Library, tmp_path: Path) -> None:
    encoder = open_encoder(str(tmp_path), device="cpu")

    assert library.opened == [(str(tmp_path.resolve()), "cpu", True)]
    assert encoder.name == f"st:{tmp_path.resolve()}"
    assert encoder.dim == 2
    assert encoder.encode(["a", "b"]).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]] * 2
    assert encoder.encode([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("spec", "model"),
    [("st:org/model", "org/model"), ("org/model", "org/model"), ("st:", DEFAULT_MODEL)],
)
def test_a_name_is_left_to_the_library(library: Library, spec: str, model: str) -> None:
    open_encoder(spec)

    assert library.opened == [(model, None, False)]


def test_a_path_that_is_not_there_is_not_looked_for_on_the_network(library: Library) -> None:
    with pytest.raises(InputError, match="no such folder"):
        open_encoder("./models/gone")

    assert library.opened == []


def test_a_folder_without_a_model_is_refused_in_one_line(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()

    with pytest.raises(InputError) as caught:
        open_encoder(f"st:{folder}")

    assert caught.value.what == (
        "cannot open this sentence-transformers model: no file named model.safetensors"
    )
    assert "modules.json" in caught.value.fix


@pytest.mark.parametrize("scale", [0.5, float("nan")])
def test_vectors_that_are_not_of_length_1_are_refused(
    monkeypatch: pytest.MonkeyPatch, scale: float
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", Library(scale))

    with pytest.raises(RunError, match="1 of 1 vectors are not of length 1"):
        SentenceTransformerEncoder("any").encode(["a"])


# -- opening ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "what"), [("lsa", "is fitted on a corpus"), ("", "no encoder")])
def test_what_cannot_be_opened_says_why(spec: str, what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        open_encoder(spec)


def test_importing_the_encoders_imports_no_heavy_library() -> None:
    code = (
        "import sys, lvm.data.encoders, lvm.data.encode; "
        "print(*sorted({'torch', 'sklearn', 'scipy', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"
