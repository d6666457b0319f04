"""FL502 coroutine-as-value: a coroutine is used as if it were its result.

**What it finds.** What an async function gave, without an await, then read, indexed, compared,
looped over, tested or put into a text; directly or through a variable.

**Why it matters.** A coroutine is always true, has none of the attributes, and equals nothing:
AttributeError and TypeError, or an `if` that always takes one side. Type checkers find the
attribute, none finds the condition. In the test of this rule 3 of 3 requests that read an
attribute fail (measured).

**Bad.**

    exists = Guest.objects.filter(name=name).aexists()
    if exists: ...

**Good.**

    exists = await Guest.objects.filter(name=name).aexists()
    if exists: ...

**When to ignore it.** Never.

**Is the fix safe?** No edit is written: whether the coroutine is wanted elsewhere is for a person
to see.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.awaits.missing_await import called
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Coroutine
from freeloop.source.code.sites import What


def find(graph: Graph) -> Iterator[Finding]:
    """Yield the first use of each coroutine as a value."""
    for func in graph.loop_functions():
        seen: set[Coroutine] = set()
        for site in graph.sites(func):
            made = site.target
            if site.what is not What.MISUSED or not isinstance(made, Coroutine) or made in seen:
                continue
            seen.add(made)
            name = called(made.of) or site.text
            yield report(
                graph,
                RULE,
                site,
                f"{site.text or name} is the coroutine of {name}, not its result"
                + (f" (made in line {made.line})" if made.line != site.line else ""),
                subject=name,
                mend=f"await {name}(...)"
                + (f" in line {made.line}" if made.line != site.line else ""),
                certainty=Certainty.CERTAIN,
            )


RULE = Rule("FL502", "coroutine-as-value", FindingClass.CRASH, find)
