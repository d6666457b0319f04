"""Outlet: OpenTelemetry metrics, by the meter provider that the project set up."""

from __future__ import annotations

from typing import Any

from freeloop import __version__
from freeloop.watch.sinks.labels import Bounded, Routes
from freeloop.watch.stretch import Kind, Stretch

BUCKETS_S = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class OpenTelemetry:
    """Records stretches in three instruments.

    Semantic conventions have nothing for event loops; attributes are named by them where they can.

    Raises:
        ImportError: If `opentelemetry-api` is not installed.
    """

    def __init__(self, provider: Any = None) -> None:
        from opentelemetry import metrics

        meter = metrics.get_meter("freeloop.watch", __version__, meter_provider=provider)
        self._routes = Routes()
        self._functions = Bounded()
        self._blocked = meter.create_histogram(
            "freeloop.event_loop.blocked.duration",
            unit="s",
            description="Stretches in which code held the event loop, net of the host's delays",
            explicit_bucket_boundaries_advisory=BUCKETS_S,
        )
        self._delayed = meter.create_histogram(
            "freeloop.event_loop.delay",
            unit="s",
            description="Stretches in which the event loop did not come round",
            explicit_bucket_boundaries_advisory=BUCKETS_S,
        )
        self._hidden = meter.create_counter(
            "freeloop.hidden_bottlenecks",
            unit="{occurrence}",
            description="Times that something hidden was seen",
        )

    def __call__(self, stretch: Stretch) -> None:
        """Record a stretch."""
        cause = {"freeloop.cause": stretch.cause.value}
        if stretch.kind is not Kind.HIDDEN:
            self._delayed.record(stretch.ms / 1000, cause)
        if stretch.kind is Kind.HOST:
            return
        whose = {**cause, **self._named(stretch)}
        if stretch.kind is Kind.HIDDEN:
            self._hidden.add(1, whose)
        else:
            self._blocked.record(stretch.ms / 1000, whose)

    def _named(self, stretch: Stretch) -> dict[str, str]:
        found = {}
        if stretch.route is not None:
            found["http.route"] = self._routes.of(stretch.route)
        if stretch.line is not None:
            found["code.function.name"] = self._functions.label(stretch.line[2])
        return found
