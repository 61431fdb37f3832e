"""What a server counts, as Prometheus metrics of its own registry."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from registry.inference.loaded import Loaded

MEDIA_TYPE = CONTENT_TYPE_LATEST

_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters, durations and what the cold start cost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "request_count", "Requests answered.", ("method", "route", "code"), registry=self._registry
        )
        self._durations = Histogram(
            "request_duration_seconds",
            "Time to answer a request, in seconds.",
            ("method", "route"),
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._predictions = Counter(
            "prediction_count", "Rows answered.", ("model_name", "model_version"), registry=self._registry
        )
        self._phases = Gauge(
            "cold_start_phase_seconds",
            "What a phase of loading a version cost, in seconds.",
            ("model_name", "model_version", "phase"),
            registry=self._registry,
        )
        self._bytes = Gauge(
            "artifact_bytes",
            "Size of a loaded artifact, in bytes.",
            ("model_name", "model_version", "format"),
            registry=self._registry,
        )

    def request(self, method: str, route: str, code: int, duration_s: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, str(code)).inc()
        self._durations.labels(method, route).observe(duration_s)

    def predicted(self, model: str, version: str, n_rows: int) -> None:
        """Count answered rows."""
        self._predictions.labels(model, version).inc(n_rows)

    def text(self, loaded: Iterable[Loaded]) -> bytes:
        """Return all metrics in Prometheus' text format, with what the versions that are loaded now cost."""
        with self._lock:
            self._phases.clear()
            self._bytes.clear()
            for version in loaded:
                labels = (version.record.model, version.record.version)
                for phase in version.phases:
                    self._phases.labels(*labels, phase.name).set(phase.ms / 1000)
                self._bytes.labels(*labels, version.format).set(version.size)
            return generate_latest(self._registry)
