"""The watchdog of this process belongs to one test at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from freeloop.watch import reports
from freeloop.watch.stretch import Stretch
from freeloop.watch.watchdog import watchdog


@pytest.fixture
def seen() -> Iterator[list[Stretch]]:
    """What was reported; give `seen.append` to the watch."""
    found: list[Stretch] = []
    before = reports.counts.own_errors
    try:
        yield found
    finally:
        watchdog.stop()
        reports.unlisten(found.append)
        reports.forget()
        watchdog.threshold_ns = 20_000_000
    assert reports.counts.own_errors == before
