"""The numbers of /metrics, in a registry of their own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    def __init__(self, service: str, model: str, sha256: str, waiting: Callable[[], int]) -> None:
        """waiting: how many predictions wait at the moment."""
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge(
            "lvm_model_info", "1, labelled with what is served", ["service", "model", "sha256"],
            registry=registry,
        ).labels(service, model, sha256).set(1)  # fmt: skip
        Gauge("lvm_waiting", "Predictions that wait for the model", registry=registry).set_function(
            waiting
        )
        self._requests = Counter(
            "lvm_requests", "Requests answered", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "lvm_request_seconds", "Time to answer, by route", ["route"], registry=registry,
            buckets=_SECONDS,
        )  # fmt: skip
        self._rows = Histogram(
            "lvm_batch_rows", "Predictions in a forward pass", registry=registry, buckets=_ROWS
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def batched(self, rows: int) -> None:
        self._rows.observe(rows)

    def text(self) -> bytes:
        """Prometheus' text format, version 0.0.4."""
        return generate_latest(self._registry)
