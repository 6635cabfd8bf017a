"""A service on a real port that answers what a test wants; the dashboard asks it over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FILE = "/srv/artifacts/lvm/models/gru_5cat_20251030_223000/best_5cat_model.pt"


def decoded(text: str, similarity: float, article: str, chunk: int) -> dict[str, Any]:
    return {
        "text": text,
        "similarity": similarity,
        "row": chunk,
        "article": article,
        "chunk": chunk,
    }


def chat_answer(offset: int | None = 1) -> dict[str, Any]:
    """What POST /chat answers: the next chunk, beside the last one itself."""
    answer = decoded("Each line ends in a newline character.", 0.713, "fileinput", 13)
    return {
        "text": answer["text"],
        "confidence": 0.713,
        "answer": answer,
        "copy_last": decoded("Iterate over the lines of a file.", 0.842, "fileinput", 12),
        "offset": offset,
        "context": {
            "how": "1 from the messages, 4 from the bank before the chunk nearest to the oldest",
            "chunks": [],
            "unknown": 0,
        },
        "latency_ms": {"encode": 3.1, "context": 0.8, "predict": 0.6, "decode": 1.9, "total": 6.4},
    }


@dataclass
class Stub:
    port: int
    sha256: str = "00"
    answer: dict[str, Any] = field(default_factory=chat_answer)
    status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)

    def health(self) -> dict[str, Any]:
        return {
            "status": "ok",
            "service": "gru",
            "model": "gru",
            "file": FILE,
            "sha256": self.sha256,
            "uptime_seconds": 60.0,
            "dim": 768,
            "device": "cpu",
            "pid": 4711,
        }


@contextmanager
def stub_service() -> Iterator[Stub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, stub.health())

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            stub.asked.append(json.loads(self.rfile.read(length)))
            self._send(stub.status, stub.answer)

        def _send(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub = Stub(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()
