"""What the routes take and give, as an OpenAPI 3.1 document."""

from __future__ import annotations

from typing import Any

from lvm import __version__
from lvm.service.limits import Limits
from lvm.service.requests import MOST_MESSAGES, TEMPERATURES
from lvm.settings import CONTEXT_LENGTH

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0}


def describe(service: str, model_type: str, dim: int, limits: Limits) -> dict[str, Any]:
    """The document of one service; `dim` is the width of its model's vectors."""
    schemas = _schemas(dim)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Latent Vector Model {service}",
            "version": __version__,
            "description": f"{model_type}, {dim} wide. Bodies are JSON in UTF-8, at most "
            f"{limits.body_bytes} bytes. Every error is one sentence.",
        },
        "paths": {
            "/health": {"get": _read("Which model answers here", "Health")},
            "/metrics": {
                "get": {
                    "operationId": "metrics",
                    "summary": "Counters and times in Prometheus' text format",
                    "responses": {
                        "200": {
                            "description": "The numbers",
                            "content": {"text/plain": {"schema": _TEXT}},
                        }
                    },
                }
            },
            "/openapi.json": {"get": _read("This document", None)},
            "/predict": {"post": _send("The next vector after five", "Predict", "Prediction")},
            "/chat": {"post": _send("The next text after a conversation", "Chat", "Answer")},
        },
        "components": {"schemas": schemas},
    }


def _schemas(dim: int) -> dict[str, Any]:
    vector = {"type": "array", "items": _NUMBER, "minItems": dim, "maxItems": dim}
    maybe = {"type": ["integer", "null"]}
    decoded = _object(
        {
            "text": _TEXT,
            "similarity": {**_NUMBER, "description": "Cosine of the vector and the text's own"},
            "row": {**maybe, "description": "Of the bank; null for a text from a decoder"},
            "article": {"type": ["string", "null"]},
            "chunk": {**maybe, "description": "Its number in the article"},
        }
    )
    low, high = TEMPERATURES
    return {
        "Error": _object({"error": _TEXT}),
        "Health": _object(
            {
                "status": {"const": "ok"},
                "service": _TEXT,
                "model": _TEXT,
                "file": _TEXT,
                "sha256": _TEXT,
                "uptime_seconds": _NUMBER,
                "dim": _COUNT,
                "device": _TEXT,
                "pid": _COUNT,
                "chat": {**_TEXT, "description": '"ready", or what is missing for it'},
            }
        ),
        "Predict": _object(
            {
                "context_vectors": {
                    "type": "array",
                    "items": vector,
                    "minItems": CONTEXT_LENGTH,
                    "maxItems": CONTEXT_LENGTH,
                    "description": "Oldest first. Vectors of another length than 1 are rescaled; "
                    "zero vectors are refused.",
                }
            }
        ),
        "Prediction": _object({"vector": vector, "latency_ms": _NUMBER, "rescaled": _COUNT}),
        "Chat": _object(
            {
                "messages": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_MESSAGES,
                    "items": {
                        "anyOf": [
                            _TEXT,
                            {
                                "type": "object",
                                "properties": {"role": _TEXT, "content": _TEXT},
                                "required": ["content"],
                            },
                        ]
                    },
                    "description": "Oldest first; the last one must hold a text.",
                },
                "temperature": {
                    "type": ["number", "null"],
                    "minimum": low,
                    "maximum": high,
                    "description": "0, the default: the nearest text.",
                },
                "seed": {
                    "type": ["integer", "null"],
                    "minimum": 0,
                    "maximum": 2**63 - 1,
                    "description": "Of the draw; left out: another draw every time.",
                },
            },
            required=["messages"],
        ),
        "Answer": _object(
            {
                "text": _TEXT,
                "confidence": {**_NUMBER, "description": "The answer's similarity, at least 0"},
                "answer": decoded,
                "copy_last": {**decoded, "description": "What copying the last chunk gives"},
                "offset": {
                    **maybe,
                    "description": "Chunks from the one nearest to the last context to the answer, "
                    "in the same article: +1 is the next chunk, below 0 is backward",
                },
                "context": _object(
                    {
                        "how": _TEXT,
                        "chunks": {"type": "array", "items": _context_chunk()},
                        "unknown": {
                            **maybe,
                            "description": "Chunks without a word that the encoder knows",
                        },
                    }
                ),
                "latency_ms": _object(
                    dict.fromkeys(("encode", "context", "predict", "decode", "total"), _NUMBER)
                ),
            }
        ),
    }


def _context_chunk() -> dict[str, Any]:
    return _object(
        {
            "from": {"enum": ["message", "bank", "repeated"]},
            "text": {"type": ["string", "null"]},
            "row": {"type": ["integer", "null"]},
        }
    )


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _content(schema: str | None) -> dict[str, Any]:
    of = {"$ref": f"#/components/schemas/{schema}"} if schema else {"type": "object"}
    return {"application/json": {"schema": of}}


def _read(summary: str, schema: str | None) -> dict[str, Any]:
    return {
        "operationId": schema.lower() if schema else "openapi",
        "summary": summary,
        "responses": {"200": {"description": summary, "content": _content(schema)}},
    }


def _send(summary: str, asked: str, answered: str) -> dict[str, Any]:
    refusals = {
        "400": "Not JSON",
        "408": "It did not arrive in time",
        "409": "This service has no bank to chat with",
        "413": "Too large",
        "415": "Not application/json",
        "422": "JSON of another shape",
        "429": "Too many wait already; see Retry-After",
        "502": "The encoder or the decoder behind this service fails",
        "503": "No answer in time",
    }
    return {
        "operationId": asked.lower(),
        "summary": summary,
        "requestBody": {"required": True, "content": _content(asked)},
        "responses": {
            "200": {"description": summary, "content": _content(answered)},
            **{
                status: {"description": words, "content": _content("Error")}
                for status, words in refusals.items()
            },
        },
    }
