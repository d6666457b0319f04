"""FL504 sequential-awaits: independent reads over the network are awaited one after another.

**What it finds.** Two and more awaits in a row, or one in a list comprehension, that fetch
something with an async HTTP client (GET, HEAD), directly or through async functions of the
project, where none uses what another gave. Never queries of the ORM, which run one after another
anyhow; never what sends or changes something, nor what reading does not know.

**Why it matters.** The request waits for the sum where it could wait for the longest. In the test
of this rule three reads of 300 ms take 2.9 to 3.1 times as long in a row as together.

**Bad.**

    rate = await client.get(RATES)
    stock = await client.get(STOCK)

**Good.**

    async with asyncio.TaskGroup() as group:
        rate = group.create_task(client.get(RATES))
        stock = group.create_task(client.get(STOCK))

**When to ignore it.** When the second call should not be made if the first fails, or the other
side allows one call at a time.

**Is the fix safe?** No: when one fails the others have been started, and a task group raises an
ExceptionGroup.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.sites import Site, What
from freeloop.source.code.waiting import Wait


def find(graph: Graph) -> Iterator[Finding]:
    """Yield runs of reads that could wait together."""
    for func in graph.async_functions():
        for sequence in graph.awaits_in_sequence(func):
            calls = [
                site
                for place in sequence.places
                for site in graph.sites(func)
                if site.what is What.CALL and (site.line, site.column) == place
            ]
            for run in _runs(graph, calls):
                if len(run) > 1 or sequence.looped:
                    yield _report(graph, run, looped=sequence.looped)


def _runs(graph: Graph, calls: list[Site]) -> Iterator[list[Site]]:
    """Yield the neighbours among calls that only read."""
    run: list[Site] = []
    for site in calls:
        if _only_fetches(graph, site):
            run.append(site)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _only_fetches(graph: Graph, site: Site) -> bool:
    waits = graph.waits.of_site(site)
    return Wait.FETCH in waits and set(waits) <= {Wait.FETCH} and not graph.waits.changes(site)


def _report(graph: Graph, run: list[Site], *, looped: bool) -> Finding:
    first, last = run[0], run[-1]
    words = (
        f"each {first.text} of the loop waits for the one before"
        if looped
        else f"{len(run)} independent reads wait one after another, to line {last.line}"
    )
    return report(
        graph,
        RULE,
        first,
        words,
        subject=first.text,
        kind="net",
        mend="start them in an asyncio.TaskGroup, then take the results",
        also=run[1:],
    )


RULE = Rule("FL504", "sequential-awaits", FindingClass.WASTE, find)
