"""The routes of a running service: what they answer to good requests and to bad ones."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from typing import Any, cast

import httpx
import numpy as np
import pytest

from lvm.errors import InputError, ServiceError
from lvm.models.predict import Predictor
from lvm.service.client import ServiceClient
from lvm.service.limits import Limits
from lvm.service.serving import ServiceSpec, listen

from .conftest import DIM, RunningService, five_vectors, running


def ask(service: RunningService, verb: str, path: str, **rest: Any) -> httpx.Response:
    url = f"http://127.0.0.1:{service.port}{path}"
    return httpx.request(verb, url, trust_env=False, timeout=20, **rest)


def predict(service: RunningService, content: str | bytes, **headers: str) -> httpx.Response:
    headers = {"content-type": "application/json", **headers}
    return ask(service, "POST", "/predict", content=content, headers=headers)


def sentence(response: httpx.Response) -> str:
    """The one sentence of an error."""
    document = response.json()
    assert list(document) == ["error"]
    assert "\n" not in document["error"]
    assert "Traceback" not in response.text
    return str(document["error"])


def test_health_says_which_file_answers(service: RunningService) -> None:
    with service.client() as client:
        health = client.health()
    assert health["status"] == "ok"
    assert health["service"] == health["model"] == "gru"
    assert health["sha256"] == hashlib.sha256(service.model.path.read_bytes()).hexdigest()
    assert health["file"] == str(service.model.path.resolve())
    assert (health["dim"], health["device"], health["pid"]) == (DIM, "cpu", os.getpid())
    assert health["uptime_seconds"] >= 0


def test_predict_gives_the_models_own_prediction(service: RunningService) -> None:
    contexts = five_vectors()
    with service.client() as client:
        vector = client.predict(contexts)
    alone = service.model.forward(np.asarray([contexts], np.float32))[0]
    np.testing.assert_allclose(vector, alone, atol=1e-6)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_only_the_direction_of_a_vector_counts(service: RunningService) -> None:
    contexts = five_vectors()
    longer = [[7 * value for value in contexts[0]], *contexts[1:]]
    answers = [
        predict(service, json.dumps({"context_vectors": rows})).json()
        for rows in (contexts, longer)
    ]
    np.testing.assert_allclose(answers[0]["vector"], answers[1]["vector"], atol=1e-6)
    assert [answer["rescaled"] for answer in answers] == [0, 1]


def body(rows: Any) -> str:
    return json.dumps({"context_vectors": rows})


ZERO = [[0.0] * DIM, *five_vectors()[1:]]
RAGGED = [*five_vectors()[:4], [0.1] * (DIM + 1)]
WORD = [["0.5", *five_vectors()[0][1:]], *five_vectors()[1:]]
TRUE = [[True, *five_vectors()[0][1:]], *five_vectors()[1:]]
HUGE = [[1e300] * DIM, *five_vectors()[1:]]


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        ("", 400, "empty"),
        ("{", 400, "not JSON"),
        (b'{"context_vectors": "\xff\xfe"}', 400, "not JSON"),
        ("[" * 100_000, 400, "not JSON"),
        (body([[float("nan")] * DIM] * 5), 400, "not JSON"),
        (body([[float("inf")] * DIM] * 5), 400, "not JSON"),
        (body(five_vectors()).replace("[[", "[[1e999, ", 1), 400, "not JSON"),
        ("[]", 422, "a list"),
        ("null", 422, "null"),
        ("{}", 422, "context_vectors"),
        (json.dumps({"context_vectors": five_vectors(), "batch": 1}), 422, "'batch'"),
        (body("x"), 422, "a text"),
        (body([]), 422, "0 vectors"),
        (body(five_vectors()[:4]), 422, "4 vectors"),
        (body([1, 2, 3, 4, 5]), 422, "context_vectors[0] is a number"),
        (body([[[0.1]] * DIM] * 5), 422, "context_vectors[0][0] is a list"),
        (body(RAGGED), 422, "context_vectors[4] has 17 numbers"),
        (body(WORD), 422, "context_vectors[0][0] is a text"),
        (body(TRUE), 422, "context_vectors[0][0] is true or false"),
        (body([[None] * DIM] * 5), 422, "null"),
        (body(ZERO), 422, "context_vectors[0] has length 0"),
        (body(HUGE), 422, "context_vectors[0] has length"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_a_wrong_prediction_request_gets_one_sentence(
    service: RunningService, content: str | bytes, status: int, says: str
) -> None:
    response = predict(service, content)
    assert response.status_code == status
    assert says in sentence(response)


@pytest.mark.parametrize("said", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_is_not_said_to_be_json_is_refused(service: RunningService, said: str) -> None:
    response = predict(service, body(five_vectors()), **{"content-type": said})
    assert response.status_code == 415
    assert "application/json" in sentence(response)


def test_a_compressed_body_and_another_charset_are_refused(service: RunningService) -> None:
    packed = predict(service, b"\x1f\x8b", **{"content-encoding": "gzip"})
    latin = predict(service, b"{}", **{"content-type": "application/json; charset=latin-1"})
    assert packed.status_code == latin.status_code == 415
    assert "Content-Encoding" in sentence(packed)
    assert "UTF-8" in sentence(latin)


def test_a_body_over_the_limit_is_refused_with_and_without_its_length(
    service: RunningService,
) -> None:
    large = b" " * 1_000_001
    said = predict(service, large)
    chunked = ask(
        service,
        "POST",
        "/predict",
        content=iter([large[:500_000], large[500_000:]]),
        headers={"content-type": "application/json"},
    )
    assert said.status_code == chunked.status_code == 413
    assert "1000000 bytes" in sentence(said) == sentence(chunked)


def test_unknown_routes_and_methods_say_what_is_known(service: RunningService) -> None:
    unknown = ask(service, "GET", "/predictions")
    slash = ask(service, "POST", "/predict/")
    wrong = ask(service, "DELETE", "/predict")
    assert (unknown.status_code, slash.status_code, wrong.status_code) == (404, 404, 405)
    assert "POST /predict" in sentence(unknown)
    assert "POST" in sentence(wrong)
    assert wrong.headers["allow"] == "POST"


def test_without_a_bank_chat_says_what_is_missing(service: RunningService) -> None:
    with service.client() as client, pytest.raises(InputError, match=r"bank.*services\.gru"):
        client.chat(["Hello"])


def test_metrics_count_what_was_answered(service: RunningService) -> None:
    predict(service, body(five_vectors()))
    text = ask(service, "GET", "/metrics").text
    assert 'lvm_requests_total{route="/predict",status="200"}' in text
    assert "lvm_batch_rows_bucket" in text
    assert service.model.sha256 in text


def test_what_breaks_inside_is_logged_and_counted_and_not_told(
    service: RunningService, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(contexts: Any) -> Any:
        raise ValueError("a secret path")

    model = dataclasses.replace(service.model, predictor=cast(Predictor, broken))
    spec = ServiceSpec("gru", service.model.path, "cpu")
    with running(spec, Limits(drain_seconds=0.05), model) as other:
        response = predict(other, body(five_vectors()))
        metrics = ask(other, "GET", "/metrics").text
    assert response.status_code == 500
    assert "its log says what" in sentence(response)
    assert "secret" not in response.text
    assert 'lvm_requests_total{route="/predict",status="500"} 1.0' in metrics
    assert "a secret path" in capfd.readouterr().err


def test_the_openapi_document_has_every_route(service: RunningService) -> None:
    document = ask(service, "GET", "/openapi.json").json()
    assert set(document["paths"]) == {"/health", "/metrics", "/openapi.json", "/predict", "/chat"}
    schema = document["components"]["schemas"]["Predict"]["properties"]["context_vectors"]
    assert (schema["minItems"], schema["items"]["minItems"]) == (5, DIM)


def test_the_client_tells_a_refusal_from_a_service_that_is_not_there(
    service: RunningService,
) -> None:
    with service.client() as client, pytest.raises(InputError, match="4 vectors"):
        client.predict(five_vectors()[:4])
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with (
            ServiceClient("127.0.0.1", port, timeout=0.2) as client,
            pytest.raises(ServiceError, match="no answer within"),
        ):
            client.health()
    with (
        ServiceClient("127.0.0.1", port, timeout=5) as client,
        pytest.raises(ServiceError, match="no answer") as caught,
    ):
        client.health()
    assert "lvm serve" in caught.value.fix
