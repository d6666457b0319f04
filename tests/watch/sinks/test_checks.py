"""System checks of FREELOOP["WATCH"]: a misspelt key must not go unnoticed until an incident."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from django.conf import settings
settings.configure(FREELOOP=json.loads(sys.argv[1]))
if sys.argv[2:]:
    sys.modules[sys.argv[2]] = None
from freeloop.checks import check_settings
print(json.dumps([[each.id, each.msg, each.hint] for each in check_settings()]))
"""


def found(watch: object, *, without: str = "") -> list[list[str]]:
    """Return id, message and hint of what the checks find."""
    words = [json.dumps({"WATCH": watch}), *([without] if without else [])]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=True
    )
    answer: list[list[str]] = json.loads(done.stdout)
    return answer


def test_right_settings_are_silent() -> None:
    watch = {"ENABLED": True, "THRESHOLD_MS": 30, "JSON_LINES": "watch.jsonl", "PROMETHEUS": True}
    assert found(watch) == []


@pytest.mark.parametrize(
    ("watch", "slug", "part"),
    [
        ({"JSONLINES": "x"}, "freeloop.E001", "did you mean 'JSON_LINES'?"),
        ({"JSON_LINES": 3}, "freeloop.E002", "must be the path of a file, not 3"),
        ({"THRESHOLD_MS": 1}, "freeloop.E002", "at least 5, not 1"),
        (3, "freeloop.E002", "must be a dict, not 3"),
    ],
)
def test_a_wrong_key_or_value_is_named(watch: object, slug: str, part: str) -> None:
    ((identity, message, hint),) = found(watch)

    assert identity == slug
    assert part in f"{message} {hint}"


def test_a_missing_package_is_named_with_what_installs_it() -> None:
    """The log says it too, but nobody reads the log of a server that starts."""
    ((identity, _, hint),) = found({"OPENTELEMETRY": True}, without="opentelemetry")

    assert identity == "freeloop.E003"
    assert hint == "pip install 'freeloop[opentelemetry]'"
