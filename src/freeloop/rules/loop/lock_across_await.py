"""FL104 lock-across-await: a lock of threads is held while a task waits.

**What it finds.** `with lock:` around an await, where the lock is one of `threading`.

**Why it matters.** The task gives the loop back while it holds the lock. The next task that wants
it stops the whole loop, and with it the first task, which alone could let go: the process stands
still for ever. In the test of this rule neither of two tasks ends; with an `asyncio.Lock` both do
(measured).

**Bad.**

    async def add(self):
        with self.lock:
            await self.store()

**Good.**

    async def add(self):
        async with self.async_lock:      # asyncio.Lock
            await self.store()

**When to ignore it.** When exactly one task of the process can ever get there.

**Is the fix safe?** No: an `asyncio.Lock` does not keep out other threads.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Ext, ExtInst, Kind
from freeloop.source.code.sites import What

LOCKS = frozenset(
    {
        f"{module}.{name}"
        for module in ("threading", "multiprocessing")
        for name in ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore")
    }
    | {"_thread.lock", "_thread.RLock", "_thread.LockType"}
)


def find(graph: Graph) -> Iterator[Finding]:
    """Yield the first await of each block that holds a lock of threads."""
    for func in graph.async_functions():
        reported: set[int] = set()
        for site in graph.sites(func):
            if site.what is not What.AWAIT:
                continue
            for held in site.held:
                if not held.is_async and _is_lock(held.kind) and held.line not in reported:
                    reported.add(held.line)
                    yield report(
                        graph,
                        RULE,
                        site,
                        f"{held.text} is a lock of threads, held since line {held.line}"
                        " while the task waits: the next to want it stops the loop",
                        subject=held.text,
                        kind="lock",
                        mend="async with an asyncio.Lock, or await before the block",
                        certainty=Certainty.CERTAIN,
                    )


def _is_lock(kind: Kind | None) -> bool:
    return isinstance(kind, ExtInst | Ext) and kind.name in LOCKS


RULE = Rule("FL104", "lock-across-await", FindingClass.STALL, find)
