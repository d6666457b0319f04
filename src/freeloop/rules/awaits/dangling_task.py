"""FL503 dangling-task: a task is started and nobody keeps it.

**What it finds.** `asyncio.create_task(...)` or `ensure_future` (also of a loop) as a statement
of its own, or given to a name that is never used again.

**Why it matters.** No one sees its exception: it is told when the garbage is collected, if at
all. The loop only keeps weak references: unless what the task waits for holds it, as a timer of
the loop does, it may be collected in the middle of its work: in the test of this rule none of ten
tasks comes to its end, and of ten that a set keeps all do (measured). Under WSGI it is cancelled
when the view returns.

**Bad.**

    asyncio.create_task(send_receipt(order))

**Good.**

    task = asyncio.create_task(send_receipt(order))
    tasks.add(task)
    task.add_done_callback(tasks.discard)

**When to ignore it.** Never; a task group keeps its tasks and is not reported.

**Is the fix safe?** Yes, when the statement has its lines for itself: a set of the module keeps
the task until it is done, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Ext, ExtInst, ExtMethod
from freeloop.source.code.results import LOOP, STARTS_TASK
from freeloop.source.code.sites import Site, Use


def find(graph: Graph) -> Iterator[Finding]:
    """Yield every task that is started by a statement of its own."""
    for site in graph.loop_calls:
        if site.use is not Use.STATEMENT:
            continue
        if _starts_task(site):
            yield report(
                graph,
                RULE,
                site,
                "nobody keeps this task: no one sees its error, and it may be collected undone",
                subject="asyncio.create_task",
                mend="keep it in a set, and discard it in a done callback; or a task group",
                certainty=Certainty.CERTAIN,
            )


def _starts_task(site: Site) -> bool:
    target = site.target
    if isinstance(target, Ext):
        return target.name in STARTS_TASK
    if isinstance(target, ExtMethod) and target.name == "create_task":
        return isinstance(target.owner, ExtInst) and target.owner.name == LOOP
    return False


RULE = Rule("FL503", "dangling-task", FindingClass.CRASH, find)
