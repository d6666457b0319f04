"""What a site holds after thousands of disturbed requests; the benchmark `relief_leaks` runs it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

import django

from tests.relief.isolation import databases, sites
from tests.relief.isolation.plans import random_plan

STORM = 250
# Before 6.1 a request that the server cancels goes on unattended, in stock as with relief, and a
# connection that it opens then is closed by nobody. Measured in ten runs each of a thousand
# requests, some 200 of them cancelled: stock left 0 to 5, relief 0 to 5.
MOST_UNATTENDED = 5
# Measured: one request of ten thousand, on a machine that was busy with something else.
MOST_LOST_ON_BRIDGES = 1


@dataclass(frozen=True, slots=True)
class Leaks:
    """What was left and what was seen.

    Attributes:
        requests: How many were sent.
        statuses: How often each came; 0 is none.
        looks: How many places were read.
        wrong: Sentences about leaks between requests.
        broken_bridges: Disturbed requests that asgiref could not clean up, as in stock.
        lost_on_bridges: Requests that lost what their view had set on the way back over asgiref's
            `async_to_sync`, as in stock.
        most_connections: Highest number of sessions right after a storm, before any collection.
        connections: Sessions at the end, after one collection.
        threads: Request threads at the end of the storms.
        lost_rows: Rows of transactions that were rolled back.
    """

    requests: int
    statuses: dict[str, int]
    looks: int
    wrong: tuple[str, ...]
    broken_bridges: int
    lost_on_bridges: int
    most_connections: int
    connections: int
    threads: int
    lost_rows: int


def allowed(stock: int) -> int:
    """Return how many connections relief may leave where stock left so many."""
    return 0 if django.VERSION >= (6, 1) else stock + MOST_UNATTENDED


def leaks_of(database: str, kind: str, requests: int, chance: random.Random) -> Leaks:
    """Run storms on a site of that kind until so many requests were sent."""
    statuses: Counter[str] = Counter()
    wrong: list[str] = []
    looks = broken = lost = most = threads = sent = 0
    with sites.running(database, kind) as site:
        while sent < requests:
            size = min(STORM, requests - sent)
            noted = site.ask(random_plan(chance, size))
            sent += size
            statuses.update(noted["statuses"])
            wrong += noted["wrong"]
            looks += noted["looks"]
            broken += noted["broken_bridges"]
            lost += noted["lost_on_bridges"]
            threads += len(noted["threads_left"])
            most = max(most, databases.connected(database))
        site.ask({"collect": True})
        connections = databases.settled(database)
    rows = [mark for what, mark in databases.kept_marks(database) if what == "lost"]
    return Leaks(
        requests=sent,
        statuses=dict(statuses),
        looks=looks,
        wrong=tuple(wrong[:20]),
        broken_bridges=broken,
        lost_on_bridges=lost,
        most_connections=most,
        connections=connections,
        threads=threads,
        lost_rows=len(rows),
    )
