"""The café's surroundings, and both ways of asking it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.examples.cafe import CAFE, backing

SCRIPT = Path(__file__).with_name("both_ways.py")
PATIENCE_S = 300

type Found = dict[str, dict[str, Any]]


@contextmanager
def surroundings(*options: str) -> Iterator[dict[str, str]]:
    """Give the environment of a café with supplier and filled database."""
    show = "import json, os; print(json.dumps(dict(os.environ)), flush=True); input()"
    process = backing(
        *options, "--", sys.executable, "-c", show, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate(b"\n")


@pytest.fixture(scope="package")
def cafe() -> Iterator[dict[str, str]]:
    """A café on SQLite."""
    with surroundings() as environment:
        yield environment


@pytest.fixture(scope="package")
def pooled_cafe() -> Iterator[dict[str, str]]:
    """A café on PostgreSQL, with Django's connection pool and a user."""
    with surroundings("--postgres", "--pool=4") as environment:
        subprocess.run(
            [sys.executable, "manage.py", "createsuperuser", "--noinput", "--username=cook",
             "--email=cook@example.org"],
            cwd=CAFE,
            env={**environment, "DJANGO_SUPERUSER_PASSWORD": "for tests"},
            check=True,
            capture_output=True,
        )  # fmt: skip
        yield environment


@pytest.fixture(scope="package")
def both_ways(cafe: dict[str, str]) -> Callable[[str, list[str]], Found]:
    """Return a function that asks for paths without and with recording, in the café."""

    def ask(interface: str, paths: list[str]) -> Found:
        done = subprocess.run(
            [sys.executable, SCRIPT, interface, *paths],
            cwd=CAFE,
            env={**os.environ, **cafe, "PYTHONPATH": str(SCRIPT.parents[2])},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return {line["path"]: line for line in lines}

    return ask
