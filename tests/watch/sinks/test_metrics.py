"""Prometheus and OpenTelemetry, as their own libraries read the metrics back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from freeloop.watch.sinks.otel import OpenTelemetry
from freeloop.watch.stretch import Cause
from tests.watch.sinks.stretches import stretch

prometheus_client = pytest.importorskip("prometheus_client")

SEEN = (
    stretch(ms=30),
    stretch(ms=700),
    stretch(cause=Cause.STARVED, ms=60, route=None),
    stretch(cause=Cause.SERIALISED, ms=90),
)


def test_prometheus_gets_histograms_of_blocks_and_delays_and_a_counter() -> None:
    """What the host did delays the loop and is nobody's block."""
    from freeloop.watch.sinks.prometheus import Prometheus

    registry = prometheus_client.CollectorRegistry()
    outlet = Prometheus(registry)

    for each in SEEN:
        outlet(each)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)  # type: ignore[no-any-return]

    checkout = {"route": "/checkout/<int:pk>/", "cause": "wait"}
    blocked = "freeloop_event_loop_blocked_seconds"
    assert value(f"{blocked}_count", **checkout) == 2
    assert value(f"{blocked}_sum", **checkout) == pytest.approx(0.73)
    assert value(f"{blocked}_bucket", le="0.05", **checkout) == 1
    assert value(f"{blocked}_count", route="", cause="starved") is None
    assert value("freeloop_event_loop_delay_seconds_count", cause="starved") == 1
    assert value("freeloop_event_loop_delay_seconds_count", cause="wait") == 2
    hidden = {"route": "/checkout/<int:pk>/", "cause": "serialised"}
    assert value("freeloop_hidden_bottlenecks_total", **hidden) == 1


def test_an_outlet_made_twice_uses_the_same_metrics() -> None:
    """A registry takes each name once; settings are read again after tests and reloads."""
    from freeloop.watch.sinks.prometheus import Prometheus

    registry = prometheus_client.CollectorRegistry()

    Prometheus(registry)(stretch())
    Prometheus(registry)(stretch())

    labels = {"route": "/checkout/<int:pk>/", "cause": "wait"}
    assert registry.get_sample_value("freeloop_event_loop_blocked_seconds_count", labels) == 2


def test_routes_beyond_the_cap_share_a_label() -> None:
    """A time series for each of ten thousand routes would take the metrics store down."""
    from freeloop.watch.sinks.prometheus import Prometheus

    registry = prometheus_client.CollectorRegistry()
    outlet = Prometheus(registry)

    for number in range(300):
        outlet(stretch(route=f"page-{number}/"))

    name = "freeloop_event_loop_blocked_seconds_count"
    (metric,) = [each for each in registry.collect() if "blocked" in each.name]
    counts = {each.labels["route"]: each.value for each in metric.samples if each.name == name}
    assert len(counts) == 201
    assert counts["other"] == 100


def test_prometheus_adds_up_the_workers_in_multiprocess_mode(tmp_path: Path) -> None:
    """Whichever worker serves /metrics, it tells of all."""
    code = """
import os
from freeloop.watch.sinks.prometheus import Prometheus
from tests.watch.sinks.stretches import stretch
outlet = Prometheus()
workers = []
for _ in range(3):
    worker = os.fork()
    if worker == 0:
        for _ in range(5):
            outlet(stretch())
        os._exit(0)
    workers.append(worker)
for worker in workers:
    assert os.waitpid(worker, 0)[1] == 0
from prometheus_client import CollectorRegistry, multiprocess
registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
labels = {"route": "/checkout/<int:pk>/", "cause": "wait"}
print(registry.get_sample_value("freeloop_event_loop_blocked_seconds_count", labels))
"""
    root = Path(__file__).parents[3]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "src")]),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == 15


def test_opentelemetry_gets_the_same_under_names_of_its_conventions() -> None:
    reader = InMemoryMetricReader()
    outlet = OpenTelemetry(MeterProvider(metric_readers=[reader]))

    for each in SEEN:
        outlet(each)

    data = reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    points = {
        (metric.name, str((point.attributes or {}).get("freeloop.cause"))): point
        for metric in metrics
        for point in metric.data.data_points
    }
    assert set(points) == {
        ("freeloop.event_loop.blocked.duration", "wait"),
        ("freeloop.event_loop.delay", "wait"),
        ("freeloop.event_loop.delay", "starved"),
        ("freeloop.hidden_bottlenecks", "serialised"),
    }
    blocked = points["freeloop.event_loop.blocked.duration", "wait"]
    assert blocked.attributes == {
        "freeloop.cause": "wait",
        "http.route": "/checkout/<int:pk>/",
        "code.function.name": "fetch_rate",
    }
    assert getattr(blocked, "count", None) == 2
    assert getattr(blocked, "sum", None) == pytest.approx(0.73)
