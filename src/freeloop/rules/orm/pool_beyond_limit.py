"""FL305 pool-beyond-limit: all worker processes together may open more connections than allowed.

**What it finds.** A pool with a `max_size` in the settings that, times the worker processes which
`gunicorn.conf.py`, a Procfile, a Dockerfile or a compose file names, is more than the connections
that PostgreSQL accepts: `max_connections` where a compose file sets it, else its default of 100.

**Why it matters.** The pool is one for each process. As long as little happens it stays small;
under load the last workers are refused: "FATAL: sorry, too many clients already". With 130
requests waiting against a limit of 100, 31 were answered with status 500.

**Bad.**

    # gunicorn.conf.py
    workers = 8
    # settings.py
    DATABASES = {"default": {..., "OPTIONS": {"pool": {"max_size": 20}}}}

**Good.**

    DATABASES = {"default": {..., "OPTIONS": {"pool": {"max_size": 10}}}}

**When to ignore it.** When a pooler such as PgBouncer stands between, or the server allows more.

**Is the fix safe?** A smaller pool lets requests wait for a connection in place of failing.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass, Place
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report_setting
from freeloop.source.code.graph import Graph

# PostgreSQL's default, three of which are kept for its superuser.
DEFAULT_LIMIT = 100


def find(graph: Graph) -> Iterator[Finding]:
    """Yield the databases of the settings when the workers' pools are too large together."""
    settings, deployment = graph.settings, graph.deployment
    if settings.pool_size is None or deployment.workers is None:
        return
    if "postg" not in settings.database:
        return
    limit = deployment.most_connections or DEFAULT_LIMIT
    most = deployment.workers * settings.pool_size
    if most <= limit:
        return
    told = "max_connections" if deployment.most_connections else "PostgreSQL's default limit"
    workers_path, workers_line = deployment.workers_at
    yield report_setting(
        graph,
        RULE,
        *settings.databases_at,
        f"{deployment.workers} workers with a pool of {settings.pool_size} each may open {most}"
        f" connections (estimated); {told} is {limit}",
        subject="OPTIONS.pool.max_size",
        mend=f'"max_size": {max(1, limit // deployment.workers)}, a pooler, or fewer workers',
        certainty=Certainty.LIKELY,
        also=[Place(graph.shown(workers_path), workers_line, f"{deployment.workers} workers")],
    )


RULE = Rule("FL305", "pool-beyond-limit", FindingClass.CRASH, find)
