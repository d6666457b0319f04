"""FL303 kept-connections: connections are kept beyond the request, and the project has async views.

**What it finds.** `CONN_MAX_AGE` other than 0 in the settings of a project with async views and
an ASGI application.

**Why it matters.** Under ASGI a request may get a thread of its own, and each thread keeps its
connection: the number of connections follows the requests in flight until the server refuses
("too many clients already"). Five workers and 60 requests left 42 to 50 connections, 20 to 40 of
them still open a second later (Django 6.1, PostgreSQL 18).

**Bad.**

    DATABASES = {"default": {..., "CONN_MAX_AGE": 600}}

**Good.**

    DATABASES = {"default": {..., "CONN_MAX_AGE": 0, "OPTIONS": {"pool": {"max_size": 20}}}}

**When to ignore it.** When these settings only ever serve WSGI.

**Is the fix safe?** CONN_MAX_AGE = 0 is; a pool needs psycopg's and a size that fits the server.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report_setting
from freeloop.source.code.graph import Graph


def find(graph: Graph) -> Iterator[Finding]:
    """Yield the setting when async views make it costly."""
    settings = graph.settings
    if not settings.conn_max_age or not settings.asgi or not graph.entries:
        return
    if settings.databases_at[0]:
        yield report_setting(
            graph,
            RULE,
            *settings.databases_at,
            f"CONN_MAX_AGE = {settings.conn_max_age} keeps a connection for each thread"
            " that ASGI requests leave behind",
            subject="CONN_MAX_AGE",
            mend='"CONN_MAX_AGE": 0, and "OPTIONS": {"pool": {...}} with psycopg',
        )


RULE = Rule("FL303", "kept-connections", FindingClass.WASTE, find)
