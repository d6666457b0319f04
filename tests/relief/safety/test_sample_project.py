"""Every view of the sample project, stock against relief."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.examples.cafe import CAFE, routes

ROOT = Path(__file__).parents[3]
# Each arm has one of its own.
SUPPLIER = re.compile(r"127\.0\.0\.1:\d+")

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


def answers(backing: Any, arm: str, paths: list[str]) -> list[dict[str, Any]]:
    """Return what was seen of each request, in a process and surroundings of its own."""
    with backing.surroundings() as environment:
        path = os.pathsep.join((str(CAFE), str(ROOT), os.environ.get("PYTHONPATH", "")))
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.relief.safety.cafe_answers", arm],
            env={**os.environ, **environment, "PYTHONPATH": path},
            input=json.dumps(paths) + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(SUPPLIER.sub("supplier", line)) for line in ran.stdout.splitlines()]


def test_every_view_of_the_sample_project_answers_as_in_stock() -> None:
    """Status, headers, cookies, body, queries, log records, connections, what is left behind."""
    paths = [route["path"] for route in routes()]
    sys.path.insert(0, str(CAFE))
    try:
        backing = import_module("backing")
    finally:
        sys.path.remove(str(CAFE))

    with ThreadPoolExecutor(2) as both:
        arms = both.map(lambda arm: answers(backing, arm, paths), ("stock", "relief"))
        stock, relieved = arms

    assert len(stock) == (len(paths) + 2) * 4
    for one, other in zip(stock, relieved, strict=True):
        assert other == one, one["asked"]
    statuses = {each["seen"]["answer"][0] for each in stock}
    assert {200, 404, 405, 501} <= statuses
