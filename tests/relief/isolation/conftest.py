"""One PostgreSQL, and one site of each kind, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.relief.isolation import databases, sites


@pytest.fixture(scope="package")
def database() -> Iterator[str]:
    """The address of a PostgreSQL."""
    with databases.postgres() as address:
        yield address


@pytest.fixture(scope="package")
def stock(database: str) -> Iterator[sites.Site]:
    """A site as Django makes it."""
    with sites.running(database, "stock") as site:
        yield site


@pytest.fixture(scope="package")
def relief(database: str) -> Iterator[sites.Site]:
    """The same site with relief."""
    with sites.running(database, "relief") as site:
        yield site
