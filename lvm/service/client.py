"""Asks a service. Imports neither torch nor numpy, and httpx only when something is asked."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from lvm.errors import InputError, ServiceError

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ServiceClient:
    """One service by its address; a context manager.

    timeout: seconds for connecting and for each answer. While a service restarts its socket is
    held and the request waits, so give more than it takes to load a model where that matters.

    Every request has a connection of its own: one that was kept could meet a restart.

    All methods raise ServiceError when there is no answer, or not the one that was hoped for
    (busy, broken), and InputError when the service refuses what was sent, in its own words.
    """

    def __init__(self, host: str, port: int, timeout: float = 10.0) -> None:
        import httpx

        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{port}"
        self._http = httpx.Client(
            base_url=self.url,
            timeout=timeout,
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=host not in _LOOPBACK,  # a proxy knows nothing of this machine's own ports
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def health(self) -> dict[str, Any]:
        """status, service, model, file, sha256, uptime_seconds, dim, device, pid, chat."""
        return self._ask("GET", "/health", needs="sha256")

    def predict(self, contexts: Sequence[Sequence[float]]) -> list[float]:
        """Five vectors, oldest first → the predicted one, of length 1."""
        document = {"context_vectors": [list(map(float, row)) for row in contexts]}
        vector: list[float] = self._ask("POST", "/predict", document, needs="vector")["vector"]
        return vector

    def chat(
        self,
        messages: Sequence[str | dict[str, str]],
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> dict[str, Any]:
        """Texts, oldest first → the answer (docs/usage.md, "Services")."""
        document: dict[str, Any] = {"messages": list(messages), "temperature": temperature}
        if seed is not None:
            document["seed"] = seed
        return self._ask("POST", "/chat", document, needs="text")

    def _ask(
        self, verb: str, path: str, document: dict[str, Any] | None = None, *, needs: str
    ) -> dict[str, Any]:
        import httpx

        where = self.url + path
        try:
            response = self._http.request(verb, path, json=document)
        except httpx.TimeoutException as error:
            raise ServiceError(
                f"no answer within {self._http.timeout.read:g} s",
                where=where,
                fix="it may be loading its model or be overloaded: lvm services status",
            ) from error
        except httpx.TransportError as error:
            raise ServiceError(
                f"no answer: {error or type(error).__name__}",
                where=where,
                fix="is the service running? lvm services status; lvm serve NAME starts one",
            ) from error
        except ValueError as error:  # NaN is no JSON
            raise InputError(f"cannot be sent: {error}", where=where) from error
        return _checked(response, where, needs)


def _checked(response: Any, where: str, needs: str) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    sentence = answer.get("error") if isinstance(answer, dict) else None
    if response.is_success and isinstance(answer, dict) and needs in answer:
        return answer
    if isinstance(sentence, str) and response.is_client_error and response.status_code != 429:
        raise InputError(sentence, where=where)
    raise ServiceError(
        sentence or f"answers {response.status_code} {response.text[:80]!r}",
        where=where,
        fix="" if sentence else "another program may listen there: check the port in lvm.toml",
    )
