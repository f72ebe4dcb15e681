"""Prometheus figures of the process, summed over all web workers.

With `PROMETHEUS_MULTIPROC_DIR` set (the parent sets it) every worker writes to files in that folder and any
of them answers for all.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("storefront_requests", "Requests answered", ["endpoint", "method", "status"])
SECONDS = Histogram(
    "storefront_request_seconds",
    "Time to answer a request, in seconds",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
JOBS = Counter("storefront_jobs", "Background jobs run", ["task", "outcome"])
READS = Counter("storefront_public_reads", "Public pages and lists, by the server they came from", ["source"])
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe_request(endpoint: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    # A client may send any word as its method; unknown ones share one label, or memory would grow without end.
    REQUESTS.labels(endpoint, method if method in METHODS else "other", status).inc()
    SECONDS.labels(endpoint).observe(seconds)


def render() -> bytes:
    """All figures in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)
