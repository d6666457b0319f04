"""Third-party packages: the same answers, and the same notes of the request, beside relief."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.relief.safety.beside import AFTER, BEFORE, NEVER, PACKAGES

ROOT = Path(__file__).parents[3]
DISTRIBUTION = {
    "corsheaders": "django-cors-headers",
    "debug_toolbar": "django-debug-toolbar",
    "opentelemetry": "opentelemetry-instrumentation-django",
    "opentelemetry_asgi": "opentelemetry-instrumentation-asgi",
    "sentry": "sentry-sdk",
    "sentry_spans": "sentry-sdk",
    "staticfiles": "django",
}


@cache
def asked(package: str, when: str) -> dict[str, Any]:
    """Ask the project beside this package, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.relief.safety.beside", package, when],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def comparable(noted: list[str]) -> list[str]:
    """Return the notes, sorted, without what differs by design.

    A relieved request that never waits ends before it listens for a disconnect: OpenTelemetry
    notes no second "http receive". Sentry's spans of single hooks differ in number.
    """
    return sorted(
        each.partition(" [")[0] for each in noted if not each.endswith(" http receive UNSET")
    )


@pytest.mark.parametrize("when", [BEFORE, AFTER])
@pytest.mark.parametrize(
    "package",
    [
        pytest.param(each, marks=pytest.mark.needs(DISTRIBUTION.get(each, each)))
        for each in PACKAGES
    ],
)
def test_the_answers_are_stocks(package: str, when: str) -> None:
    """Whichever of the two patched Django first."""
    stock, relieved = asked(package, NEVER), asked(package, when)

    assert stock["parts"] == []
    for one, other in zip(stock["answers"], relieved["answers"], strict=True):
        assert other == one
    assert [each[1] for each in stock["answers"][:2]] == [200, 200]
    assert comparable(relieved["noted"]) == comparable(stock["noted"])
    # Sentry wraps the handler's methods: their shape is unknown then, and all stays stock.
    if when == BEFORE or not package.startswith("sentry"):
        assert "middleware" in relieved["parts"]
