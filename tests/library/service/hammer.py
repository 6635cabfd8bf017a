"""Clients that ask a service without a pause, and count what went wrong."""

from __future__ import annotations

import http.client
import json
import threading
from dataclasses import dataclass, field

from .conftest import five_vectors

BODY = json.dumps({"context_vectors": five_vectors()}).encode()


@dataclass
class Hammer:
    """Clients that keep their connection and send one request after another."""

    port: int
    timeout: float = 60
    """Seconds until a request has failed."""
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    _enough: threading.Event = field(default_factory=threading.Event)
    _clients: list[threading.Thread] = field(default_factory=list)

    def start(self, clients: int) -> None:
        self._clients = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self._clients:
            thread.start()

    def stop(self) -> None:
        """Returns when each has its last answer."""
        self._enough.set()
        for thread in self._clients:
            thread.join(timeout=60)

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        while not self._enough.is_set():
            try:
                connection.request("POST", "/predict", BODY, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    self.failures.append(str(response.status))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            self.answered += 1
        connection.close()
