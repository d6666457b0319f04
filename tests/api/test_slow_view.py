"""A view that is slower than the stretch that measures it still gets its latency."""

from __future__ import annotations

from pathlib import Path

import pytest

from freeloop.api.effort import Clock, Effort
from freeloop.api.pair import _unloaded
from freeloop.api.serving import Bench
from freeloop.judge.stats import LOOKS
from freeloop.measure.client import RawEngine
from freeloop.model.plan import Plan
from freeloop.source.arms import default_pair
from freeloop.source.facts import inspect_project, resolve
from freeloop.source.project import find_project
from freeloop.source.requests import parse_target

SLOW = """
import time
from django.http import HttpResponse
from django.urls import path
def view(request):
    time.sleep(0.3)
    return HttpResponse("slow")
urlpatterns = [path("view/", view)]
"""
SETTINGS = "SECRET_KEY = 'x'\nROOT_URLCONF = 'slow_urls'\nALLOWED_HOSTS = ['*']\n"


@pytest.mark.real
@pytest.mark.alone
def test_one_request_at_a_time_may_outlast_the_stretch(tmp_path: Path) -> None:
    """Nothing is answered within it: the latency was shown as zero."""
    (tmp_path / "slow_settings.py").write_text(SETTINGS)
    (tmp_path / "slow_urls.py").write_text(SLOW)
    project = find_project(tmp_path, settings="slow_settings", python=None)
    pair = default_pair(parse_target("/view/"), concurrency=(1,))
    (target,) = resolve(project, [pair.a.request])
    effort = Effort(unloaded_s=0.1)
    with RawEngine() as engine:
        bench = Bench(
            project=project,
            facts=inspect_project(project),
            targets={pair.a.request.name: target},
            engine=engine,
            effort=effort,
            clock=Clock(Plan((pair,)), effort),
            progress=lambda step: None,
            server_cores=(),
            cores=1,
            looks=LOOKS,
        )
        with bench.serve(pair.a, threads=1) as served:
            latency_ms = _unloaded(bench, pair, served)

    assert latency_ms > 300
