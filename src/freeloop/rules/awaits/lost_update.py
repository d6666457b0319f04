"""FL505 lost-update: shared state is read, awaited over, and written back.

**What it finds.** An attribute of `self` or a global name that an async function reads into a
variable, then awaits, then sets from that variable, without an async lock around.

**Why it matters.** Every await lets other tasks run. All that they wrote in between is
overwritten: in the sample project of twenty guests counted at once, one is left. There is no
error.

**Bad.**

    seen = self.served
    await asyncio.sleep(0.01)
    self.served = seen + 1

**Good.**

    await asyncio.sleep(0.01)
    self.served += 1

**When to ignore it.** When one task alone owns the object.

**Is the fix safe?** No: the order of the work changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph


def find(graph: Graph) -> Iterator[Finding]:
    """Yield writes of what was read before an await."""
    for func in graph.async_functions():
        for site, update in graph.updates_across_await(func):
            yield report(
                graph,
                RULE,
                site,
                f"{update.text} was read in line {update.read_line}, before an await:"
                " what other tasks wrote meanwhile is lost",
                subject=update.text,
                mend=f"read and write {update.text} without an await between, or an asyncio.Lock",
            )


RULE = Rule("FL505", "lost-update", FindingClass.WASTE, find)
