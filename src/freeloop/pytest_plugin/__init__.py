"""pytest plugin: tests fail when their code holds the event loop, or takes more than it may.

`@pytest.mark.freeloop(max_block_ms=..., max_hops=..., max_connections_held=...)` guards one test,
`--freeloop-watch` a whole suite; the fixture `freeloop_client` asks the project's ASGI handler.

pytest imports this module in every suite of an environment that has freeloop. It imports
pytest alone; a suite that uses nothing of it pays for one look at its tests after collection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freeloop.pytest_plugin.names import DEFAULT_MS, LEAST_MS, MARK

if TYPE_CHECKING:
    from freeloop.pytest_plugin.client import FreeloopClient


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the settings."""
    group = parser.getgroup("freeloop")
    group.addoption(
        "--freeloop-watch",
        nargs="?",
        const=DEFAULT_MS,
        type=_milliseconds,
        metavar="MS",
        help=f"Fail each test whose code holds the event loop for MS or longer ({DEFAULT_MS:g}).",
    )
    parser.addini(
        "freeloop_watch", "As --freeloop-watch: milliseconds, or nothing to watch nothing.", None
    )
    parser.addini(
        "freeloop_application",
        "The ASGI application for freeloop_client, MODULE:ATTRIBUTE; found by Django's settings.",
        None,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark; `--strict-markers` refuses it otherwise."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(max_block_ms=None, max_hops=None, max_connections_held=None): what the test's"
        " code may take of event loop, threads and database connections",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Guard the suite if anything in it asks for that."""
    watch_ms = _watch_ms(config)
    if watch_ms is None and not any(item.get_closest_marker(MARK) for item in items):
        return
    from freeloop.pytest_plugin.guard import Guard
    from freeloop.pytest_plugin.limits import refuse_wrong_marks

    refuse_wrong_marks(items)
    config.pluginmanager.register(Guard(config, watch_ms), "freeloop-guard")


@pytest.fixture
def freeloop_client(request: pytest.FixtureRequest) -> FreeloopClient:
    """Ask the project's own ASGI handler, as a server does, and see what the request took."""
    from freeloop.pytest_plugin.client import client_for

    return client_for(request)


def _watch_ms(config: pytest.Config) -> float | None:
    given = config.getoption("freeloop_watch")
    if given is None and (written := config.getini("freeloop_watch")):
        try:
            given = _milliseconds(written)
        except ValueError as error:
            raise pytest.UsageError(f"freeloop_watch = {written}: {error}") from None
    return None if given is None else float(given)


def _milliseconds(text: str | float) -> float:
    """Return a threshold; `--freeloop-watch tests/` would otherwise swallow the folder's name."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError("not a number of milliseconds; write --freeloop-watch=50") from None
    if value < LEAST_MS:
        raise ValueError(f"the watch cannot tell less than {LEAST_MS:g} ms")
    return value
