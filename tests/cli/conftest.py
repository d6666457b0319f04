"""`freeloop check` in a process of its own, and a small project for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

type Check = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Run the command in a process of its own, its cache in the test's directory."""

    def run(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "FREELOOP_CACHE": str(tmp_path / "cache"), "COLUMNS": "100"}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        return subprocess.run(
            [sys.executable, "-m", "freeloop", "check", *words],
            cwd=at,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one blocked view."""
    root = tmp_path / "site"
    root.mkdir()
    (root / "manage.py").write_text(
        'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf")\n'
    )
    (root / "conf.py").write_text('ROOT_URLCONF = "urls"\n')
    (root / "urls.py").write_text(
        "from django.urls import path\nimport views\nurlpatterns = [path('slow/', views.slow)]\n"
    )
    (root / "views.py").write_text("import time\nasync def slow(request):\n    time.sleep(1)\n")
    return root
