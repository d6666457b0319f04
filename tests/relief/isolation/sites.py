"""A marked site in a process of its own, which answers plans."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


class Site:
    """The parent's side of `storm.py`."""

    def __init__(self, process: subprocess.Popen[str], kind: str) -> None:
        self.kind = kind
        self._process = process

    def ask(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Run one plan and return what the site noted."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(plan) + "\n")
        self._process.stdin.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """Return the next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the site ended with {self._process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer


def environment(database: str, **more: str) -> dict[str, str]:
    """Return the environment of a marked site."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.relief.isolation.settings",
        "ISOLATION_DATABASE": database,
        "PYTHONPATH": path,
        **more,
    }


@contextmanager
def running(database: str, kind: str) -> Iterator[Site]:
    """Run a site, "stock" or "relief"."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.relief.isolation.storm", kind],
        env=environment(database),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        site = Site(process, kind)
        assert site.hear()["ready"]
        yield site
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
