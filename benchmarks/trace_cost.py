"""Claim: recording a request of 50 awaits and 20 queries takes at most twice its CPU.

Without line steps; the factor with them is printed. `python benchmarks/trace_cost.py [--rounds N]`
runs one request of a small project of its own, in one process, in turns: not recorded, recorded,
recorded with line steps; the rounds are kept in `results/trace_cost.json`. CPU is that of the whole
process (all threads, the sampler too) from the handler's call to its return; putting the recorder
in and taking it out is left out. Not controlled: other load of the machine, which CPU time feels
through caches. Ends with 1 when the claim fails.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from freeloop.record import asgi
from freeloop.record.request import Asked
from freeloop.record.session import Options, record_asgi

RESULTS = Path(__file__).with_name("results") / "trace_cost.json"
MOST = 2.0
ASKED = Asked("GET", "/view/", (("Host", "127.0.0.1"),))
AWAITS, QUERIES = 50, 20

SETTINGS = """
SECRET_KEY = "for the benchmark"
ROOT_URLCONF = "site_urls"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "cost.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
URLS = """
from django.urls import path
import site_views
urlpatterns = [path("view/", site_views.view)]
"""
VIEWS = f"""
import asyncio
from django.contrib.auth.models import Group
from django.http import JsonResponse

async def view(request):
    waited = found = 0
    for _ in range({AWAITS}):
        await asyncio.sleep(0.0005)
        waited += 1
    for number in range({QUERIES}):
        found += await Group.objects.filter(pk__gt=number).acount()
    return JsonResponse({{"waited": waited, "found": found}})
"""


class Timed:
    """An application that notes the CPU of each HTTP request."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.cpu_ms = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        started = time.process_time_ns()
        try:
            await self._application(scope, receive, send)
        finally:
            if scope["type"] == "http":
                self.cpu_ms = (time.process_time_ns() - started) / 1e6


def prepare(folder: Path) -> Timed:
    """Write the project, fill its database, and return its application."""
    for name, text in (("settings", SETTINGS), ("urls", URLS), ("views", VIEWS)):
        (folder / f"site_{name}.py").write_text(text)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
    import django

    django.setup()
    from django.core.asgi import get_asgi_application
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return Timed(get_asgi_application())


async def plainly(application: Timed) -> None:
    """Ask once, as the recorder does."""
    exchange = asgi.Exchange(ASKED)
    await application(exchange.scope(), exchange.receive, exchange.send)
    assert exchange.answered.status == 200


def measure(application: Timed, folder: Path, rounds: int) -> dict[str, list[float]]:
    """Return CPU milliseconds of each round by way; the first two rounds are dropped."""
    found: dict[str, list[float]] = {"plain": [], "recorded": [], "with lines": []}
    for _ in range(rounds + 2):
        for way, taken in found.items():
            gc.collect()
            if way == "plain":
                asyncio.run(plainly(application))
            else:
                lines = way == "with lines"
                options = Options(root=str(folder), lines=lines, warm_up=False)
                recording = record_asgi(application, ASKED, options)
                assert recording.answered.status == 200
                assert recording.trace.environment.dropped == 0
            taken.append(application.cpu_ms)
    return {way: taken[2:] for way, taken in found.items()}


def main() -> int:
    """Measure, print, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--output", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    rounds, output = chosen.rounds, chosen.output.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        found = measure(prepare(folder), folder, rounds)
    print(f"CPU of a request of {AWAITS} awaits and {QUERIES} queries, {rounds} rounds in turns")
    for way, taken in found.items():
        ratios = sorted(a / b for a, b in zip(taken, found["plain"], strict=True))
        low, high = ratios[len(ratios) // 20], ratios[-1 - len(ratios) // 20]
        print(
            f"  {way:10}  median {statistics.median(taken):6.2f} ms"
            f"  x{statistics.median(ratios):.2f}  (rounds from x{low:.2f} to x{high:.2f})"
        )
    ratio = statistics.median(found["recorded"]) / statistics.median(found["plain"])
    holds = ratio <= MOST
    verdict = "holds" if holds else "FAILS"
    print(f"recorded without lines / plain = {ratio:.2f}: the claim {verdict}")
    keep(found, output)
    return 0 if holds else 1


def keep(found: dict[str, list[float]], output: Path) -> None:
    """Write the rounds, with what they ran on."""
    known = {name: metadata.version(name) for name in ("django", "asgiref")}
    told = {
        "versions": {"python": platform.python_version(), **known},
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "cpu_ms": found,
    }
    output.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
