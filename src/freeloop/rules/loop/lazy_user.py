"""FL112 lazy-user: `request.user` is looked at on the event loop.

**What it finds.** An attribute of `request.user`, read by code on the event loop, or `user` in a
template that it draws. `request.user` itself is lazy: the first look at it loads the session and
the user; `request.auser()` keeps a user of its own, so the template loads another.

**Why it matters.** The load is a query on the loop: `SynchronousOnlyOperation`. It works as long
as nobody is signed in and the session is empty, and for as long as some sync middleware happens
to look first. In the test of this rule each request of a signed-in user fails (measured).

**Bad.**

    async def basket(request):
        if request.user.is_authenticated: ...

**Good.**

    async def basket(request):
        user = await request.auser()
        if user.is_authenticated: ...

**When to ignore it.** When something that runs in a thread always looks at `request.user` first.
Where code that is not read may do so (another package's middleware, a framework's own way to sign
in), the finding is only counted: `--all` shows it.

**Is the fix safe?** `(await request.auser())` for `request.user` is in an async view of the
URLconf, when the project names `MIDDLEWARE` once, with nothing but Django's, sets no `user`
itself, and what is read is an attribute of every user. Else somebody may have put another user
into `request.user`, which `auser()` does not ask for, and the edit is only offered.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.loop.sync_orm import on_loop
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.attributes import LAZY_USER
from freeloop.source.code.causes import GET_USER
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import ExtInst
from freeloop.source.code.sites import Site


def find(graph: Graph) -> Iterator[Finding]:
    """Yield one finding for each function on the loop that looks at the lazy user."""
    class_ = None if graph.refuses_queries else FindingClass.STALL
    by_function: dict[Func, list[Site]] = {}
    for site, cause in graph.loop_causes:
        if isinstance(site.target, ExtInst) and site.target.name == LAZY_USER:
            by_function.setdefault(site.func, []).append(site)
        elif cause.subject == GET_USER:
            yield report(
                graph,
                RULE,
                site,
                f"{cause.implicit} loads session and user {on_loop(graph)}",
                subject=f"{GET_USER} in a template",
                kind="db",
                mend=f"await sync_to_async({site.text})(...)",
                class_=class_,
            )
    for func, sites in by_function.items():
        user = sites[0].text.rpartition(".")[0]
        yield report(
            graph,
            RULE,
            sites[0],
            f"{sites[0].text} loads session and user {on_loop(graph)}",
            subject=GET_USER,
            kind="db",
            mend=f"user = await {user.removesuffix('.user')}.auser()"
            if func.is_async
            else "pass the user in, loaded by await request.auser()",
            also=sites[1:],
            class_=class_,
        )


RULE = Rule("FL112", "lazy-user", FindingClass.CRASH, find)
