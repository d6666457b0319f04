"""Recorded requests, made once for all tests that draw them."""

from __future__ import annotations

import pytest

from freeloop.model.reading import Reading
from tests.render.recorded import record_requests


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    """Readings of really recorded requests, by name."""
    return record_requests(tmp_path_factory.mktemp("recorded"))
