"""One load client for all tests of a module: its start costs more than most of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freeloop.measure.client import RawEngine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def engine() -> Iterator[RawEngine]:
    """A running load client."""
    with RawEngine() as engine:
        yield engine
