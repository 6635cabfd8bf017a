"""Chat over a small real bank, with the bank's own encoder and texts, and with HTTP services."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvm.cli import main
from lvm.data.bank import VectorBank, open_bank
from lvm.data.encode import encode_to_bank, encoder_of_bank
from lvm.data.text import Article
from lvm.errors import InputError, ServiceError
from lvm.service.context import fill, last_chunks
from lvm.service.decoding import BankDecoder, weights
from lvm.service.limits import Limits
from lvm.service.nearest import nearest_rows
from lvm.service.serving import ServiceSpec

from ..cli.documents import assert_valid
from .conftest import DIM, RunningService, running, write_checkpoint

TOPICS = {
    "bread": "flour water yeast dough oven crust knead proof loaf bake slice butter",
    "ships": "sail mast harbour anchor rope deck wind tide captain keel cargo voyage",
    "stars": "planet orbit comet telescope galaxy nebula moon eclipse light dust gravity sky",
}
QUICK = Limits(drain_seconds=0.05)


def article(topic: str, words: list[str]) -> Article:
    """Eight chunks, each about two words of the topic that no other chunk has as much of."""
    parts = [f"The {words[n]} and the {words[n + 1]} of {topic}. " * 10 for n in range(8)]
    return Article(topic, "\n\n".join(parts))


@pytest.fixture(scope="module")
def bank_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bank") / "bank.npz"
    articles = [article(topic, words.split()) for topic, words in TOPICS.items()]
    return encode_to_bank(articles, "lsa", out, dim=DIM)


@pytest.fixture(scope="module")
def bank(bank_path: Path) -> VectorBank:
    return open_bank(bank_path)


@pytest.fixture(scope="module")
def talking(bank_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    model = write_checkpoint(tmp_path_factory.mktemp("model") / "gru_v0.pt")
    with running(ServiceSpec("gru", model, "cpu", bank=bank_path), QUICK) as service:
        yield service


# -- contexts -------------------------------------------------------------------------------------


def test_the_last_five_chunks_are_the_context_each_message_in_chunks_of_its_own() -> None:
    assert last_chunks(["Hello.", "How are you?"]) == ["Hello.", "How are you?"]
    assert last_chunks([f"Message {n}." for n in range(9)]) == [
        f"Message {n}." for n in range(4, 9)
    ]
    long = "Many words stand in this sentence, and they go on for a while. " * 60
    assert len(last_chunks(["Before.", long])) == 5
    assert last_chunks(["  "]) == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize("hostile", ["." * 900_000, ".)" * 400_000, "a" * 900_000, "a, " * 300_000])
def test_a_hostile_text_is_cut_in_no_time(hostile: str) -> None:
    assert 1 <= len(last_chunks([hostile])) <= 5


def test_missing_contexts_are_the_banks_chunks_before_the_nearest(bank: VectorBank) -> None:
    row = bank.rows_of(1)[6]
    vector = np.asarray(bank.vectors[row : row + 1], np.float32)
    context = fill(["said"], vector, bank)
    assert [chunk.row for chunk in context.chunks] == [row - 4, row - 3, row - 2, row - 1, None]
    assert [chunk.origin for chunk in context.chunks] == ["bank"] * 4 + ["message"]
    np.testing.assert_array_equal(context.vectors[:4], bank.vectors[row - 4 : row])
    assert "ships, chunk 6" in context.how


def test_where_an_article_has_too_few_before_the_oldest_is_repeated(bank: VectorBank) -> None:
    row = bank.rows_of(2)[1]
    vector = np.asarray(bank.vectors[row : row + 1], np.float32)
    context = fill(["said"], vector, bank)
    assert [chunk.row for chunk in context.chunks] == [row - 1] * 4 + [None]
    assert [chunk.origin for chunk in context.chunks] == ["repeated"] * 3 + ["bank", "message"]
    alone = fill(["said"], vector, None)
    assert [chunk.origin for chunk in alone.chunks] == ["repeated"] * 4 + ["message"]
    np.testing.assert_array_equal(alone.vectors, np.repeat(vector, 5, axis=0))


# -- texts ----------------------------------------------------------------------------------------


def test_nearest_rows_are_those_of_the_whole_product(bank: VectorBank) -> None:
    vectors = np.random.default_rng(1).normal(size=(3, DIM)).astype(np.float32)
    rows, cosines = nearest_rows(bank, vectors, 4)
    whole = vectors @ np.asarray(bank.vectors, np.float32).T
    np.testing.assert_array_equal(rows, np.argsort(-whole, axis=1, kind="stable")[:, :4])
    np.testing.assert_allclose(cosines, np.take_along_axis(whole, rows, axis=1))


def test_temperature_0_gives_the_nearest_and_more_gives_others_too(bank: VectorBank) -> None:
    vector = np.asarray(bank.vectors[3:4], np.float32)
    random = np.random.default_rng(0)
    decoder = BankDecoder(bank)
    assert {decoder.decode(vector, 0.0, random)[0].row for _ in range(20)} == {3}
    drawn = Counter(decoder.decode(vector, 1.0, random)[0].row for _ in range(300))
    assert 5 <= len(drawn) <= 10
    assert drawn.most_common(1)[0][0] == 3


def test_at_temperature_1_the_last_candidate_is_e_times_less_likely_than_the_first() -> None:
    chances = weights(np.array([0.9, 0.8, 0.5], np.float32), 1.0)
    assert chances.sum() == pytest.approx(1)
    assert chances[0] / chances[2] == pytest.approx(np.e)
    np.testing.assert_array_equal(weights(np.array([0.9, 0.5], np.float32), 0.0), [1, 0])
    np.testing.assert_allclose(weights(np.array([0.5, 0.5], np.float32), 0.5), [0.5, 0.5])


# -- the route ------------------------------------------------------------------------------------


def test_an_answer_has_text_confidence_stages_and_copy_lasts_answer(
    talking: RunningService, bank: VectorBank, bank_path: Path
) -> None:
    said = bank.text(4)
    assert said is not None
    with talking.client() as client:
        answer = client.chat([said])
    texts = [bank.text(row) for row in range(len(bank))]
    assert answer["text"] == texts[answer["answer"]["row"]]
    assert answer["copy_last"]["text"] == said
    assert answer["copy_last"]["similarity"] == pytest.approx(1, abs=1e-5)
    assert set(answer["latency_ms"]) == {"encode", "context", "predict", "decode", "total"}
    assert [chunk["row"] for chunk in answer["context"]["chunks"]] == [0, 1, 2, 3, None]

    rows = [*bank.vectors[0:4], encoder_of_bank(bank_path).encode([said])[0]]
    prediction = talking.model.forward(np.asarray([rows], np.float32))
    nearest, cosine = nearest_rows(bank, prediction, 1)
    assert answer["answer"]["row"] == nearest[0, 0]
    assert answer["confidence"] == pytest.approx(max(0.0, float(cosine[0, 0])), abs=1e-5)
    same = bank.article_of_row(int(nearest[0, 0])) == bank.article_of_row(4)
    assert answer["offset"] == (nearest[0, 0] - 4 if same else None)


def test_objects_with_roles_are_messages_as_texts_are(talking: RunningService) -> None:
    with talking.client() as client:
        plain = client.chat(["The oven.", "The anchor."])
        objects = client.chat(
            [{"role": "user", "content": "The oven."}, {"role": "user", "content": "The anchor."}]
        )
    assert plain["answer"] == objects["answer"]
    assert plain["context"] == objects["context"]


def test_a_seed_gives_the_same_draw_again(talking: RunningService) -> None:
    with talking.client() as client:
        drawn = [client.chat(["The moon."], temperature=2.0, seed=n)["text"] for n in range(12)]
        again = [client.chat(["The moon."], temperature=2.0, seed=n)["text"] for n in range(12)]
    assert drawn == again
    assert len(set(drawn)) > 1


@pytest.mark.parametrize(
    ("messages", "temperature", "says"),
    [
        ([], 0.0, "0 entries"),
        (["   "], 0.0, "empty"),
        ([1], 0.0, r"messages\[0\]"),
        ([{"role": "user"}], 0.0, r"messages\[0\]"),
        (["x"], -1.0, "temperature"),
        (["x"], 3.0, "temperature"),
    ],
)
def test_a_wrong_chat_request_gets_one_sentence(
    talking: RunningService, messages: list[Any], temperature: float, says: str
) -> None:
    with talking.client() as client, pytest.raises(InputError, match=says):
        client.chat(messages, temperature=temperature)


def test_words_that_the_encoder_never_saw_are_counted(talking: RunningService) -> None:
    with talking.client() as client:
        assert client.chat(["xylophone zzz"])["context"]["unknown"] == 1


def test_lvm_chat_prints_the_answer_beside_copy_last(
    talking: RunningService, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--service", "gru", "--port", str(talking.port)]
    assert main(["chat", "The planet and the orbit of stars.", *where]) == 0
    said = capsys.readouterr().out
    assert "confidence" in said
    assert "copy last" in said
    assert "predict" in said
    command = ["chat", "The planet.", *where, "--json"]
    assert main(command) == 0
    assert assert_valid(command, capsys.readouterr().out)["text"]


# -- what is missing or fails ---------------------------------------------------------------------


def test_a_bank_of_another_width_leaves_predict_alone_and_chat_says_it(
    bank_path: Path, tmp_path: Path, serve: Callable[..., RunningService]
) -> None:
    wide = write_checkpoint(tmp_path / "wide.pt", dim=24)
    service = serve(QUICK, ServiceSpec("gru", wide, "cpu", bank=bank_path))
    with service.client() as client:
        assert "16 wide" in client.health()["chat"]
        with pytest.raises(InputError, match="the model 24"):
            client.chat(["Hello"])


class _Site(BaseHTTPRequestHandler):
    """A site's own encoder and decoder, as its stack has them."""

    broken = False

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/encode":
            rows = [[float(1 + len(text) % 7), *[1.0] * (DIM - 1)] for text in asked["texts"]]
            document: dict[str, Any] = {"embeddings": rows}
        else:
            document = {"results": [f"decoded {len(row)}" for row in asked["vectors"]]}
        content = json.dumps({} if self.broken else document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def site(broken: bool = False) -> Iterator[str]:
    handler = type("Handler", (_Site,), {"broken": broken})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_with_an_http_encoder_and_decoder_no_bank_is_needed(
    checkpoint: Path, serve: Callable[..., RunningService]
) -> None:
    with site() as url:
        spec = ServiceSpec("gru", checkpoint, "cpu", encoder=url, decoder=url)
        service = serve(QUICK, spec)
        with service.client() as client:
            answer = client.chat(["Hello, how are you?"], temperature=0.7)
    assert answer["text"] == answer["copy_last"]["text"] == f"decoded {DIM}"
    assert answer["offset"] is None
    assert answer["context"]["how"] == "1 from the messages, 4 repeating the oldest"


def test_an_encoder_that_fails_is_named_in_the_error(
    checkpoint: Path, serve: Callable[..., RunningService]
) -> None:
    with site(broken=True) as url:
        spec = ServiceSpec("gru", checkpoint, "cpu", encoder=url, decoder=url)
        service = serve(QUICK, spec)
        with service.client() as client, pytest.raises(ServiceError, match=r"/encode.*embeddings"):
            client.chat(["Hello"])
