"""FL306 held-connection: a database connection is held while a request waits for something else.

**What it finds.** An async view, or the stream that it answers with, that awaits a query and
after that a call to another machine or a sleep, directly or any number of calls below, with a
database that counts its connections (PostgreSQL, MySQL, Oracle in the settings).

**Why it matters.** Django gives a connection back when the request ends, not when the query does.
Fifty open event streams that queried once hold fifty connections; with a pool of four, forty
requests that query and then wait half a second take ten rounds. The test of this rule counts one
connection for every waiting request, and none when it is released.

**Bad.**

    async def price(request, pk):
        dish = await Dish.objects.aget(pk=pk)
        rate = await client.get(RATES)

**Good.**

    async def price(request, pk):
        dish = await Dish.objects.aget(pk=pk)
        async with release_connections():     # freeloop.relief
            rate = await client.get(RATES)

**When to ignore it.** When few requests wait at a time, far fewer than connections.

**Is the fix safe?** Waiting first and querying then is, where neither needs the other. Releasing
is, outside of a transaction and without state that lives in the connection.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.entries import Entry
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Generator
from freeloop.source.code.waiting import Wait, Waiting

LONG = {
    Wait.FETCH: "another machine",
    Wait.SEND: "another machine",
    Wait.SLEEP: "time to pass",
}


def find(graph: Graph) -> Iterator[Finding]:
    """Yield the first wait of each async view that holds a connection meanwhile."""
    if not graph.settings.counts_connections or not graph.settings.asgi:
        return
    for entry in graph.entries:
        if entry.what != "async view" or not entry.func.is_async:
            continue
        query: Waiting | None = None
        for each in _in_order(graph, entry):
            if each.what is Wait.RELEASE:
                query = None
            elif each.deep.guard.folded:
                continue
            elif each.what is Wait.QUERY:
                query = query or each
            elif each.what in LONG and query is not None:
                yield _report(graph, query, each)
                break


def _in_order(graph: Graph, entry: Entry) -> Iterator[Waiting]:
    """Yield what a view waits for, and after it what the stream waits for that it answers with."""
    yield from graph.waits.of(entry.func, entry.known)
    for site in graph.sites(entry.func):
        made = site.result
        if isinstance(made, Generator) and made.func.is_async:
            yield from graph.waits.of(made.func)


def _report(graph: Graph, query: Waiting, wait: Waiting) -> Finding:
    return report(
        graph,
        RULE,
        wait.site,
        f"the connection of {query.deep.text} (line {query.deep.line}) is held while"
        f" {wait.deep.text} waits for {LONG[wait.what]}",
        subject=wait.deep.text,
        kind="db",
        mend="wait first and query then, or async with release_connections() around the wait",
    )


RULE = Rule("FL306", "held-connection", FindingClass.WASTE, find)
