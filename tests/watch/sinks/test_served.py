"""From a block in a worker to the log, the file, /metrics and the live view, on real servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.test_bench import freeloop
from tests.projects.written import write_project

VIEWS = """
import asyncio, os, time
from django.http import HttpResponse

def price_of(item):
    time.sleep(0.08)
    return item

async def view(request):
    await asyncio.sleep(0)
    return HttpResponse(price_of(str(os.getpid())))
"""
# Two workers on one socket; what each does at its end is uvicorn's.
SERVE = """
import os, socket, sys
import uvicorn
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
import freeloop.watch

django = get_asgi_application()

async def with_metrics(scope, receive, send):
    if scope["type"] != "http" or scope["path"] != "/metrics":
        return await django(scope, receive, send)
    from prometheus_client import CollectorRegistry, generate_latest, multiprocess
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": generate_latest(registry)})

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
os.fork()
application = freeloop.watch.asgi(with_metrics)
config = uvicorn.Config(application, log_level="error", lifespan="off")
uvicorn.Server(config).run(sockets=[listener])
"""


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.real
@pytest.mark.needs("uvicorn")
def test_every_block_of_two_workers_comes_out_of_every_outlet_once(tmp_path: Path) -> None:
    """The same number in the file, in the metrics and in the view; one line each in the log."""
    file, metrics = tmp_path / "watch.jsonl", tmp_path / "metrics"
    metrics.mkdir()
    write_project(tmp_path, VIEWS)
    with (tmp_path / "site_settings.py").open("a") as settings:
        settings.write("FREELOOP = {'WATCH': {'PROMETHEUS': True, 'THRESHOLD_MS': 40}}\n")
    environment = {
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "FREELOOP_WATCH_LOG": str(file),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONPATH": str(tmp_path),
    }
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=tmp_path,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stdout is not None
    try:
        site = f"http://127.0.0.1:{int(server.stdout.readline())}"
        workers: set[str] = set()
        asked = 0
        while len(workers) < 2 or asked < 12:
            with urlopen(f"{site}/view/?secret=hunter2") as answer:
                workers.add(answer.read().decode())
            asked += 1
        deadline = time.monotonic() + 10
        while len(lines_of(file)) < asked and time.monotonic() < deadline:
            time.sleep(0.05)
        with urlopen(f"{site}/metrics") as answer:
            measured = answer.read().decode()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        _, log = server.communicate(timeout=30)

    shown = json.loads(
        freeloop("watch", "--once", "--format", "json", str(file), cwd=tmp_path).stdout
    )
    ours = [line for line in shown["results"] if line["line"][2] == "price_of"]
    assert sum(line["count"] for line in ours) == asked
    assert {(line["cause"], line["route"], line["line"][1]) for line in ours} == {
        ("wait", "view/", 6)
    }
    assert {str(worker["pid"]) for worker in shown["workers"]} == workers
    counted = 'freeloop_event_loop_blocked_seconds_count{cause="wait",route="/view/"}'
    (value,) = [line.split()[-1] for line in measured.splitlines() if line.startswith(counted)]
    assert float(value) == asked
    assert log.count("site_views.py:6 price_of") == 2
    assert "hunter2" not in log + file.read_text() + measured
