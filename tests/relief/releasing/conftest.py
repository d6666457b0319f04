"""One PostgreSQL with a few users in it, and the sites on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.relief.isolation import databases, sites
from tests.relief.releasing import served

PREPARE = (
    "import django; django.setup(); from tests.relief.isolation.storm import prepare; prepare()"
)


@pytest.fixture(scope="package")
def database() -> Iterator[str]:
    """The address of a PostgreSQL with tables and users."""
    with databases.postgres() as address:
        subprocess.run(
            [sys.executable, "-c", PREPARE], env=sites.environment(address), check=True, timeout=60
        )
        yield address


@pytest.fixture(scope="package")
def guests(database: str) -> str:
    """The same for a role that gets 97 connections, as max_connections = 100 leaves to it."""
    return served.guest(database)


@pytest.fixture(scope="package")
def relieved(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.Served]:
    """The site with relief."""
    file = tmp_path_factory.mktemp("sqlite") / "db.sqlite3"
    with served.serving(database, ISOLATION_SQLITE=str(file)) as site:
        yield site
