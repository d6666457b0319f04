"""One running café per server and test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.examples.cafe import GTHREAD, UVICORN, Site, serving


@pytest.fixture(scope="package")
def asgi() -> Iterator[Site]:
    """The café on uvicorn and SQLite, with a tasks worker."""
    with serving(UVICORN, "--worker") as site:
        yield site


@pytest.fixture(scope="package")
def wsgi() -> Iterator[Site]:
    """The café on gunicorn's threads and SQLite."""
    with serving(GTHREAD) as site:
        yield site


@pytest.fixture(scope="package", params=["asgi", "wsgi"])
def site(request: pytest.FixtureRequest) -> Site:
    """Each of the two in turn."""
    found: Site = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="package")
def postgres_site() -> Iterator[Site]:
    """The café on uvicorn and PostgreSQL, five connections in Django's pool."""
    with serving(UVICORN, "--postgres", "--pool=5") as site:
        yield site
