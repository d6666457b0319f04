"""Outlet: Prometheus, by `prometheus_client`; its multiprocess mode works as for other metrics.

The metrics are in the default registry: whatever the project serves at /metrics serves them too.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from freeloop.watch.sinks.labels import Routes
from freeloop.watch.stretch import Kind, Stretch

BUCKETS_S = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# A registry takes each name once; the outlet may be made again, by tests or a reload of settings.
_made: weakref.WeakKeyDictionary[Any, tuple[Any, Any, Any]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


class Prometheus:
    """Counts stretches in three metrics.

    Raises:
        ImportError: If `prometheus_client` is not installed.
    """

    def __init__(self, registry: Any = None) -> None:
        self._routes = Routes()
        self._blocked, self._delayed, self._hidden = _metrics(registry)

    def __call__(self, stretch: Stretch) -> None:
        """Count a stretch."""
        route, cause = self._routes.of(stretch.route), stretch.cause.value
        if stretch.kind is Kind.HIDDEN:
            self._hidden.labels(route=route, cause=cause).inc()
            return
        self._delayed.labels(cause=cause).observe(stretch.ms / 1000)
        if stretch.kind is Kind.BLOCK:
            self._blocked.labels(route=route, cause=cause).observe(stretch.ms / 1000)


def _metrics(registry: Any) -> tuple[Any, Any, Any]:
    import prometheus_client

    home = prometheus_client.REGISTRY if registry is None else registry
    with _lock:
        if home not in _made:
            blocked = prometheus_client.Histogram(
                "freeloop_event_loop_blocked_seconds",
                "Stretches in which code held the event loop, net of the host's delays",
                ("route", "cause"),
                buckets=BUCKETS_S,
                registry=home,
            )
            delayed = prometheus_client.Histogram(
                "freeloop_event_loop_delay_seconds",
                "Stretches in which the event loop did not come round, the host's delays included",
                ("cause",),
                buckets=BUCKETS_S,
                registry=home,
            )
            hidden = prometheus_client.Counter(
                "freeloop_hidden_bottlenecks_total",
                "Times that something hidden was seen, such as calls waiting for one thread",
                ("route", "cause"),
                registry=home,
            )
            _made[home] = (blocked, delayed, hidden)
        return _made[home]
