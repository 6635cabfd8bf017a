"""The routes of a service, as an ASGI application."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lvm.clock import Clock
from lvm.errors import LvmError
from lvm.service.answering import Answering
from lvm.service.batching import Batcher, BusyError
from lvm.service.limits import Limits
from lvm.service.metrics import Metrics
from lvm.service.model import ServedModel
from lvm.service.openapi import describe
from lvm.service.requests import BadRequestError, parse_chat, parse_document, parse_predict

_RETRY_AFTER = {"Retry-After": "1"}
_CLOSE = {"Connection": "close"}
_ROUTES = {
    "/health": "GET",
    "/metrics": "GET",
    "/openapi.json": "GET",
    "/predict": "POST",
    "/chat": "POST",
}


def make_app(
    name: str, model: ServedModel, answering: Answering, limits: Limits, clock: Clock
) -> ASGIApp:
    """The service `name` over a model that was loaded and tried."""
    service = _Service(name, model, answering, limits, clock)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    handlers: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/health": service.health,
        "/metrics": service.metrics_text,
        "/openapi.json": service.openapi,
        "/predict": service.predict,
        "/chat": service.chat,
    }
    app = Starlette(
        routes=[Route(path, handlers[path], methods=[verb]) for path, verb in _ROUTES.items()],
        exception_handlers={
            HTTPException: _unknown,
            BadRequestError: _refused,
            BusyError: _busy,
            TimeoutError: _late,
            LvmError: _failed,
            ClientDisconnect: _gone,
            Exception: _broken,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return _Measured(app, service.metrics, clock)  # outermost: what broke is counted too


class _Service:
    def __init__(
        self, name: str, model: ServedModel, answering: Answering, limits: Limits, clock: Clock
    ) -> None:
        self._name = name
        self._model = model
        self._answering = answering
        self._limits = limits
        self._clock = clock
        self._started = clock.monotonic()
        self._chatting = 0
        self._batcher = Batcher(
            model.forward,
            batch=limits.batch,
            waiting=limits.waiting,
            gather_seconds=limits.gather_seconds,
            observe=lambda rows: self.metrics.batched(rows),
        )
        self.metrics = Metrics(
            name, model.model_type, model.sha256, waiting=lambda: self._batcher.waiting
        )
        self._openapi = orjson.dumps(describe(name, model.model_type, model.dim, limits))

    def close(self) -> None:
        self._batcher.close()
        self._answering.close()

    async def health(self, _: Request) -> Response:
        model = self._model
        return _json(
            {
                "status": "ok",
                "service": self._name,
                "model": model.model_type,
                "file": str(model.file),
                "sha256": model.sha256,
                "uptime_seconds": round(self._clock.monotonic() - self._started, 3),
                "dim": model.dim,
                "device": model.device,
                "pid": os.getpid(),
                "chat": self._answering.missing or "ready",
            }
        )

    async def metrics_text(self, _: Request) -> Response:
        return Response(self.metrics.text(), headers={"content-type": "text/plain; version=0.0.4"})

    async def openapi(self, _: Request) -> Response:
        return Response(self._openapi, media_type="application/json")

    async def predict(self, request: Request) -> Response:
        asked = parse_predict(await self._document(request), self._model.dim)
        begun = self._clock.monotonic()
        async with asyncio.timeout(self._limits.predict_seconds):
            vector = await self._batcher(asked.contexts)
        return _json(
            {
                "vector": vector,
                "latency_ms": _ms(self._clock.monotonic() - begun),
                "rescaled": asked.rescaled,
            }
        )

    async def chat(self, request: Request) -> Response:
        asked = parse_chat(await self._document(request))
        if self._answering.missing:
            return _error(409, self._answering.missing)
        if self._chatting >= self._limits.chats:
            raise BusyError
        self._chatting += 1
        try:
            async with asyncio.timeout(self._limits.chat_seconds):
                answer = await self._answering.answer(asked, self._batcher)
        finally:
            self._chatting -= 1
        return _json(answer.to_json())

    async def _document(self, request: Request) -> dict[str, Any]:
        _check_headers(request)
        return parse_document(await self._body(request))

    async def _body(self, request: Request) -> bytes:
        most = self._limits.body_bytes
        too_large = HTTPException(413, f"the body is larger than {most} bytes", headers=_CLOSE)
        said = request.headers.get("content-length", "0")
        if said.isdecimal() and int(said[:20]) > most:
            raise too_large
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > most:
                raise too_large
        return bytes(body)


def _check_headers(request: Request) -> None:
    said = request.headers.get("content-type", "application/json")
    kind, _, parameters = said.lower().partition(";")
    if kind.strip() != "application/json":
        raise HTTPException(415, "send JSON, with the header Content-Type: application/json")
    if "charset" in parameters and "utf-8" not in parameters.replace("utf8", "utf-8"):
        raise HTTPException(415, "send the JSON in UTF-8")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HTTPException(415, "send the body as it is, without Content-Encoding")


class _Measured:
    """Counts and times every answer, by route and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Clock) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = self._clock.monotonic()
        route = scope["path"] if scope["path"] in _ROUTES else "other"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                seconds = self._clock.monotonic() - begun
                self._metrics.answered(route, message["status"], seconds)
            await send(message)

        await self._app(scope, receive, counted)


# -- answers --------------------------------------------------------------------------------------


def _json(document: dict[str, Any]) -> Response:
    content = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, media_type="application/json")


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    content = orjson.dumps({"error": sentence})
    return Response(content, status, headers=headers, media_type="application/json")


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            known = ", ".join(f"{verb} {path}" for path, verb in _ROUTES.items())
            return _error(404, f"there is no such route; known are: {known}", headers)
        case 405:
            verb = _ROUTES[request.url.path]
            return _error(405, f"{request.url.path} is asked with {verb}", headers)
        case status:
            return _error(status, str(error.detail), headers)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, BadRequestError)
    return _error(error.status, error.sentence)


async def _busy(_: Request, __: Exception) -> Response:
    return _error(429, "too many requests wait already; try again in a second", _RETRY_AFTER)


async def _late(_: Request, __: Exception) -> Response:
    return _error(503, "no answer within the time limit; try again later", _RETRY_AFTER)


async def _failed(_: Request, error: Exception) -> Response:
    """The encoder or the decoder behind this service fails."""
    assert isinstance(error, LvmError)
    return _error(502, " ".join(str(error).split()))


async def _gone(_: Request, __: Exception) -> Response:
    return _error(400, "the request was broken off")  # nobody is there to read it


async def _broken(_: Request, __: Exception) -> Response:
    return _error(500, "something broke inside the service; its log says what")


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
