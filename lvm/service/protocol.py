"""The edge of HTTP: what uvicorn leaves open about slow, greedy, and departing connections.

uvicorn's protocol parses and answers. This one adds
- a time for a whole request to arrive (a slow client gets 408), and sizes for its head and for the
  request as it travels (431, 413); parse errors as one sentence of JSON;
- draining: on shutdown an idle connection is not closed under a request that may be on its way, but
  read for `drain_seconds` more; whatever is answered from then on says `Connection: close`;
- lingering: after the last answer the connection is half-closed, and closed once the client has
  read that, so that the answer is never lost to a reset.

What remains: a client that keeps a connection idle for all of `drain_seconds` and sends at the very
moment at which it is closed. It sees the connection end without a byte of an answer, which HTTP
lets it send again (RFC 9112, 9.3.1): nothing of that request was ever seen here.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from lvm.service.limits import Limits


class ServiceState(ServerState):
    """What all connections of a server share."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.draining = False


class LingeringTransport:
    """A transport whose `close` lets the peer read everything first, and which sends the head and
    the body of an answer, written one after the other, together.

    Stands between uvicorn's protocol and asyncio's transport, and hands on all the rest.
    """

    def __init__(
        self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop, seconds: float
    ) -> None:
        self._inner = inner
        self._loop = loop
        self._seconds = seconds
        self._closing = False
        self._head = b""
        self.peer_ended = False
        """Nothing more will come: there is no reset to fear."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, data: bytes) -> None:
        if self._closing:
            return
        if self._head:
            self._head, data = b"", self._head + data
        elif data.endswith(b"\r\n\r\n"):
            self._head = data
            self._loop.call_soon(self._flush)  # should nothing follow at once
            return
        self._inner.write(data)

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._inner.write(head)

    def is_closing(self) -> bool:
        return self._closing or self._inner.is_closing()

    def close(self) -> None:
        """Send what was written, then our end; the rest when the peer ends too, or gives no sign
        for `seconds`."""
        if self.is_closing():
            return
        self._flush()
        self._closing = True
        if self.peer_ended:
            self._inner.close()
            return
        self._inner.write_eof()
        self._inner.resume_reading()
        self._loop.call_later(self._seconds, self._inner.abort)


class ServiceProtocol(HttpToolsProtocol):
    """One connection."""

    server_state: ServiceState
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _reading_head = False
    _reading = False
    """Between the first byte of a request and its last."""
    _received = 0
    """Bytes of the request that is being read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        limits = self.server_state.limits
        lingering: Any = LingeringTransport(transport, self.loop, limits.linger_seconds)
        super().connection_made(lingering)
        if len(self.connections) > limits.connections:
            self._refuse(503, "too many connections; try again later")
        elif self.server_state.draining:
            self._drain()
        else:
            self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unset_deadline()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client has said all. It may still wait for the answer to it."""
        waits = self._is_answering() and not self._reading and not self.transport.is_closing()
        if waits:
            self.cycle.keep_alive = False
            self.transport.peer_ended = True  # type: ignore[attr-defined]
        return waits

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # lingering: read so that no reset takes the answer away, and dropped
        limits = self.server_state.limits
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._reading_head and self._received > limits.head_bytes:
            self._refuse(431, f"the request's head is larger than {limits.head_bytes} bytes")
        elif self._reading and self._received > limits.wire_bytes:
            self._refuse(413, f"the request is larger than {limits.wire_bytes} bytes")

    def pause_writing(self) -> None:
        """The client does not read: wait for it, but not for ever."""
        super().pause_writing()
        seconds = self.server_state.limits.read_seconds
        self._unread = self.loop.call_later(seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    # -- what the parser tells ------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading = self._reading_head = True
        self._received = 0
        self._unset_deadline()
        self._set_deadline()

    def on_headers_complete(self) -> None:
        self._reading_head = False
        if len(self.pipeline) >= self.server_state.limits.pipelined:
            self.transport.abort()  # uvicorn queues them without end
            return
        super().on_headers_complete()
        if self.server_state.draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """As uvicorn has it, but reading goes on up to the limit of a body: pausing and resuming
        at 64 KB would cost more than five vectors take."""
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            cycle.message_event.set()
            if len(cycle.body) > self.server_state.limits.body_bytes:
                self.flow.pause_reading()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._reading = False
        self._unset_deadline()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        self._refuse(400, "not an HTTP/1.1 request that can be read")

    def _unsupported_upgrade_warning(self) -> None:
        """The parser stops at an upgrade: without one the rest of the request cannot be read."""
        self._refuse(400, "protocols cannot be upgraded here; leave out the Upgrade header")

    # -- draining -------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """The server stops: answer what is under way, and then the connection is done."""
        if self._is_answering():
            self.cycle.keep_alive = False  # the newest; pipelined ones before it are answered
        else:
            self._drain()

    def _drain(self) -> None:
        self._unset_keepalive_if_required()
        self.loop.call_later(self.server_state.limits.drain_seconds, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if not self._reading and not self._is_answering():
            self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # -- refusing -------------------------------------------------------------------------------

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(
            self.server_state.limits.read_seconds, self._on_deadline
        )

    def _unset_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _on_deadline(self) -> None:
        if self.pipeline:  # reading was paused until earlier requests are answered
            self._set_deadline()
        elif self._reading:
            seconds = self.server_state.limits.read_seconds
            self._refuse(408, f"the request did not arrive within {seconds:g} seconds")
        else:
            self.transport.close()

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer, unless an answer has begun, and close."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            begun = cycle.response_started
            cycle.disconnected = True
            cycle.message_event.set()
            if begun:
                self.transport.close()
                return
        body = orjson.dumps({"error": sentence})
        self.transport.write(
            STATUS_LINE[status]
            + b"content-type: application/json\r\nconnection: close\r\n"
            + b"content-length: %d\r\n\r\n" % len(body)
            + body
        )
        self._unset_deadline()
        self.transport.close()


class ServiceServer(uvicorn.Server):
    """uvicorn with a drain, that ends with its own exit code when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, limits: Limits) -> None:
        super().__init__(config)
        self.server_state: ServiceState = ServiceState(limits)

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 - uvicorn's signature
        """SIGTERM or SIGINT: drain; the second one: end at once."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: Any = None) -> None:
        self.server_state.draining = True
        await super().shutdown(sockets)


def configure(app: Any, limits: Limits) -> uvicorn.Config:
    """uvicorn as a service needs it: no access log, no words to clients but ours."""
    return uvicorn.Config(
        app,
        http=ServiceProtocol,
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(limits.keep_alive_seconds),
        timeout_graceful_shutdown=int(limits.stop_seconds),
    )
