"""FL103 cpu-on-loop: hashing and other work that keeps a core busy, on the event loop.

**What it finds.** Calls that compute for milliseconds by design: hashing a password, deriving a
key. Also Django's own `acheck_password`, which is async for the sake of the database and hashes
on the loop.

**Why it matters.** A password hash of Django takes tens to hundreds of milliseconds on purpose
(330 ms of CPU with Django 6.1's own choice, on the machine that its tests ran on), and everybody
on the loop waits for it. Hashing lets go of the interpreter lock, so a thread is
enough to free the loop.

**Bad.**

    async def sign_in(request):
        ok = check_password(typed, user.password)

**Good.**

    async def sign_in(request):
        ok = await asyncio.to_thread(check_password, typed, user.password)

**When to ignore it.** With a fast hasher, as in tests.

**Is the fix safe?** No edit is written: the move to a thread is a suggestion.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.causes import CauseKind
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Ext
from freeloop.source.code.sites import Use

HASHES_ON_LOOP = frozenset({"django.contrib.auth.hashers.acheck_password"})


def find(graph: Graph) -> Iterator[Finding]:
    """Yield every call that computes for long on the loop."""
    for site, cause in graph.loop_causes:
        if cause.kind is CauseKind.BLOCK and cause.waits == "cpu":
            yield report(
                graph,
                RULE,
                site,
                f"{cause.subject} computes for milliseconds and holds the event loop",
                subject=cause.subject,
                kind="cpu",
                mend=f"await asyncio.to_thread({site.text}, ...)",
            )
    for site in graph.loop_calls:
        target = site.target
        if isinstance(target, Ext) and target.name in HASHES_ON_LOOP:
            if site.use is not Use.AWAITED:
                continue
            sync = target.name.rpartition(".")[2][1:]
            yield report(
                graph,
                RULE,
                site,
                f"{target.name} hashes on the event loop, though it is awaited",
                subject=target.name,
                kind="cpu",
                mend=f"await asyncio.to_thread({sync}, ...)",
                certainty=Certainty.CERTAIN,
            )


RULE = Rule("FL103", "cpu-on-loop", FindingClass.STALL, find)
