"""FL102 file-io: a file is read, written or copied on the event loop.

**What it finds.** Opening, reading, writing and copying files, archives and whole folders, made
by code that runs on the event loop. Questions about a file (`exists`, `stat`) take microseconds
and are left out.

**Why it matters.** Nobody is served meanwhile: microseconds from the page cache, milliseconds
from a disk, seconds from a network file system or for a big file. The kernel offers no waiting
for files that a loop could share. In the test of this rule the loop takes no turn while fifty
megabytes are read on it (27 to 32 ms from the page cache), and more than ten thousand while a
thread reads them (measured).

**Bad.**

    async def terms(request):
        return HttpResponse(Path("terms.txt").read_text())

**Good.**

    async def terms(request):
        return HttpResponse(await asyncio.to_thread(Path("terms.txt").read_text))

**When to ignore it.** A small file on a local disk, read once per process.

**Is the fix safe?** No edit is written: whether a function may run in another thread is not to be
read from its call. An async twin of the project's own is offered, and never certain.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import mend_of_helper, report
from freeloop.source.code.causes import Cause, CauseKind
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func
from freeloop.source.code.sites import Site


def find(graph: Graph) -> Iterator[Finding]:
    """Yield one finding for each function on the loop that works with files."""
    by_function: dict[Func, list[tuple[Site, Cause]]] = {}
    for site, cause in graph.loop_causes:
        if cause.kind is CauseKind.BLOCK and cause.waits == "file":
            by_function.setdefault(site.func, []).append((site, cause))
    for func, found in by_function.items():
        site, cause = found[0]
        yield report(
            graph,
            RULE,
            site,
            f"{cause.subject} works with a file and holds the event loop",
            subject=cause.subject,
            kind="file",
            mend=f"await asyncio.to_thread({site.text}, ...)"
            if func.is_async
            else mend_of_helper(graph, site, "asyncio.to_thread({}, ...)"),
            also=[other for other, _ in found[1:]],
        )


RULE = Rule("FL102", "file-io", FindingClass.STALL, find)
