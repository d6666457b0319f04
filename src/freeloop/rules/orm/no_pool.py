"""FL307 no-pool: requests on ASGI open a PostgreSQL connection each, and nothing limits how many.

**What it finds.** PostgreSQL without a pool and with `CONN_MAX_AGE` 0 in the settings of a
project with an ASGI application and async views that query. Silent where the settings name
PgBouncer, where they are not written out, and where only WSGI serves.

**Why it matters.** Every request that queries connects anew, 5 of 5 in the test of this rule, and
holds the connection to its end. Threads no longer limit how many requests are under way: with 130
of them against a server that accepts 100, 31 were answered with status 500 ("too many clients
already"). A pool makes them wait instead.

**Bad.**

    DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", ...}}

**Good.**

    DATABASES = {"default": {..., "OPTIONS": {"pool": {"min_size": 2, "max_size": 20}}}}

**When to ignore it.** When a pooler stands between that the settings do not name, or the server
limits requests (`uvicorn --limit-concurrency`).

**Is the fix safe?** It needs psycopg 3 with its pool, and a size that fits all workers; what
waits while it holds a connection (FL306) then waits for the pool.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report_setting
from freeloop.source.code.graph import Graph
from freeloop.source.code.waiting import Wait


def find(graph: Graph) -> Iterator[Finding]:
    """Yield the databases of the settings when nothing limits their connections."""
    settings = graph.settings
    if not settings.asgi or graph.deployment.interfaces == {"wsgi"} or not settings.unpooled:
        return
    querying = [
        entry
        for entry in graph.entries
        if entry.what == "async view"
        and any(wait.what is Wait.QUERY for wait in graph.waits.of(entry.func))
    ]
    if querying:
        yield report_setting(
            graph,
            RULE,
            *settings.databases_at,
            f"every request connects to PostgreSQL anew, and as many at once as are under way:"
            f" {len(querying)} async views query",
            subject="OPTIONS.pool",
            mend='"OPTIONS": {"pool": {"max_size": ...}} with psycopg, or PgBouncer',
            certainty=Certainty.LIKELY,
        )


RULE = Rule("FL307", "no-pool", FindingClass.WASTE, find)
