"""FL407 client-of-other-loop: an async client of the module is used on many event loops.

**What it finds.** An `httpx.AsyncClient` or async redis client that is made when a module is
imported and used by async code that gets a new event loop each time: in a background task or sync
view through `asyncio.run`, in a task through `async_to_sync`, and in async views of a project
that only WSGI serves.

**Why it matters.** The client keeps connections of the first loop, which is closed when the call
ends. The next call takes one and gets "RuntimeError: Event loop is closed"; the one after that
works again, since the connection is gone. In the test of this rule every second call fails, 2 of
4.

**Bad.**

    client = httpx.AsyncClient()

    @shared_task
    def refresh():
        asyncio.run(fetch_rates(client))

**Good.**

    async def fetch_rates():
        async with httpx.AsyncClient() as client: ...

**When to ignore it.** With a client that keeps no connection (`keepalive_expiry=0`).

**Is the fix safe?** Yes, and each call then pays for a client; a sync client does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass, Place
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report_setting
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func, Module
from freeloop.source.code.kinds import Ext, ExtInst, ExtMethod, FuncRef
from freeloop.source.code.loops import OwnLoop
from freeloop.source.code.sites import Site, What

CLIENTS = frozenset({"httpx.AsyncClient", "redis.asyncio.Redis", "redis.asyncio.client.Redis"})
DEEPEST = 6


def find(graph: Graph) -> Iterator[Finding]:
    """Yield clients of modules that loops of their own share."""
    made = list(_made(graph))
    if not made:
        return
    loops = graph.own_loops
    for site in made:
        users = [loop for loop in loops if _uses(graph, loop.func, site, set())]
        if users:
            yield _report(graph, site, users)


def _made(graph: Graph) -> Iterator[Site]:
    for module in graph.program.index.with_async():
        if not any(name.startswith(("httpx", "redis")) for name in module.imports.values()):
            continue
        for site in graph.sites(module.body):
            target = site.target
            if site.what is not What.CALL or not site.assigned.isidentifier():
                continue
            if isinstance(target, Ext) and target.name in CLIENTS:
                yield site


def _uses(graph: Graph, func: Func, made: Site, seen: set[Func]) -> bool:
    if func in seen or len(seen) > DEEPEST:
        return False
    seen.add(func)
    for site in graph.sites(func):
        target = site.target
        if site.what is not What.CALL:
            continue
        if isinstance(target, ExtMethod) and isinstance(target.owner, ExtInst):
            root = site.text.partition(".")[0]
            is_local = root in graph.program.walk(func).env
            if target.owner.name in CLIENTS and not is_local and _is_same(func.module, root, made):
                return True
        elif isinstance(target, FuncRef) and _uses(graph, target.func, made, seen):
            return True
    return False


def _is_same(module: Module, name: str, made: Site) -> bool:
    home = made.func.module
    if module is home:
        return name == made.assigned
    return module.imports.get(name) == f"{home.name}.{made.assigned}"


def _report(graph: Graph, site: Site, users: list[OwnLoop]) -> Finding:
    name = site.assigned
    return report_setting(
        graph,
        RULE,
        site.func.module.file.path,
        site.line,
        f"{name} keeps connections of one event loop, and {users[0].why} uses it on a new one"
        " each time: Event loop is closed",
        subject=f"{site.func.module.name}.{name}",
        mend=f"make {name} where it is used (async with ...), or a sync client",
        certainty=Certainty.LIKELY,
        also=[Place(graph.shown(user.path), user.line, user.why) for user in users],
    )


RULE = Rule("FL407", "client-of-other-loop", FindingClass.CRASH, find)
