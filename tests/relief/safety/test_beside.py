"""Third-party packages: the same answers, and the same notes of the request, beside relief."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.relief.safety.beside import AFTER, BEFORE, NEVER, PACKAGES

ROOT = Path(__file__).parents[3]
LISTENING = " http receive UNSET"
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


def without_listening(noted: list[str]) -> Counter[str]:
    """Count the notes, without OpenTelemetry's of `receive`.

    Django listens for a disconnect in a task beside the view. A relieved request that never waits
    has answered before that task first runs, so it calls `receive` once, for the body.
    """
    return Counter(each for each in noted if not each.endswith(LISTENING))


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
    assert without_listening(relieved["noted"]) == without_listening(stock["noted"])
    listened = [sum(each.endswith(LISTENING) for each in arm["noted"]) for arm in (relieved, stock)]
    assert len(stock["answers"]) * (listened[1] > 0) <= listened[0] <= listened[1]
    assert {"request thread", "middleware"} <= set(relieved["parts"])


@pytest.mark.needs("sentry-sdk")
@pytest.mark.parametrize("when", [NEVER, BEFORE, AFTER])
def test_sentry_has_a_span_for_every_hook_that_it_wrapped(when: str) -> None:
    """Seven middleware and csrf's `process_view`, whose span an earlier relief passed by.

    sentry-sdk, seen in 2.75.0, puts a function there whose `__self__` is Django's middleware.
    """
    first = asked("sentry_spans", when)["noted"][0]

    assert first.startswith("transaction / ")
    assert first.count("middleware.django ") == 8
