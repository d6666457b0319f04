"""The core of Django's own tests passes with relief; `benchmarks/django_suite.py` runs it all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "django_suite.py"


@pytest.mark.real
@pytest.mark.needs("linux", "package index")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("routing", ["plain", "async"])
def test_no_core_test_of_django_fails_that_stock_passes(
    routing: str, pytestconfig: pytest.Config
) -> None:
    """Stock's own failures are stored; a test that fails beyond them is run again in both arms."""
    assert pytestconfig.cache is not None
    downloads = pytestconfig.cache.mkdir("django-suite")

    answer = subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "--installed", "--core", "--stored"),
            *("--routing", routing, "--cache", str(downloads)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "1 comparisons, 0 reasons to doubt the claim" in answer.stdout
