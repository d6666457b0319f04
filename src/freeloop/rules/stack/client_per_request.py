"""FL402 client-per-request: an HTTP client is made anew for every request.

**What it finds.** A client with a connection pool (`httpx.AsyncClient`, `httpx.Client`,
`aiohttp.ClientSession`) that code on the loop makes inside a function; of httpx also behind a
helper.

**Why it matters.** A new client opens new connections: the handshake is paid each time. One of
httpx also sets up TLS anew on the event loop, about 10 ms of CPU. In the sample project a
kept client serves 3.4 times the requests (3.0 to 3.9, measured at 50 in flight: `freeloop bench
--plan all.toml --only "new client against shared client"`).

**Bad.**

    async with httpx.AsyncClient() as client:
        await client.get(url)

**Good.** One client for each event loop, made when it starts and closed when it ends.

**When to ignore it.** Rare calls, and code that also runs under WSGI, where every request has a
loop of its own.

**Is the fix safe?** No: the life of a client has to be decided by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Ext
from freeloop.source.code.sites import Site, Use, What

CLIENTS = frozenset(
    {
        "httpx.AsyncClient",
        "httpx.Client",
        "httpx._client.AsyncClient",
        "httpx._client.Client",
        "aiohttp.ClientSession",
        "aiohttp.client.ClientSession",
    }
)


def find(graph: Graph) -> Iterator[Finding]:
    """Yield clients that are made and used up in one call."""
    for func in graph.loop_functions():
        if func.last_name in ("__init__", "__aenter__", "lifespan", "startup", "connect"):
            continue
        for site in graph.sites(func):
            target = site.target
            if site.what is not What.CALL or not isinstance(target, Ext):
                continue
            if target.name in CLIENTS and not _is_kept(graph, site):
                yield report(
                    graph,
                    RULE,
                    site,
                    f"{site.text} makes a client each time, with connections of its own",
                    subject=target.name,
                    kind="net",
                    mend="one client for each event loop, kept and closed with it",
                )


def _is_kept(graph: Graph, site: Site) -> bool:
    """Tell whether the client outlives the call: kept in an attribute or a container."""
    if site.guard.folded or "." in site.assigned or "[" in site.assigned:
        return True
    if site.use is Use.RETURNED or (site.use is Use.ASSIGNED and not _is_entered(graph, site)):
        # What becomes of it is decided by the caller: kept when a caller keeps it.
        callers = graph.reach.callers(site.func)
        return not callers or not all(call.site.what is What.ENTER or _enters(graph, call.site)
                                      for call in callers)  # fmt: skip
    return False


def _is_entered(graph: Graph, site: Site) -> bool:
    return any(
        other.what is What.ENTER and other.text == site.assigned for other in graph.sites(site.func)
    )


def _enters(graph: Graph, call: Site) -> bool:
    """Tell whether the value of a call is entered on the same line: `async with make():`."""
    return any(
        other.what is What.ENTER and other.line == call.line and other.text == f"{call.text}()"
        for other in graph.sites(call.func)
    )


RULE = Rule("FL402", "client-per-request", FindingClass.WASTE, find)
