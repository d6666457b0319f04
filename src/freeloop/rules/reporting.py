"""From a site to a finding: the way from the entry point, what stands in between, the words."""

from __future__ import annotations

from collections.abc import Sequence

from freeloop.model.finding import (
    Certainty,
    Finding,
    FindingClass,
    Fix,
    Guard,
    Place,
    Safety,
    Step,
    fingerprint,
)
from freeloop.rules.registry import Rule
from freeloop.source.code.attributes import SESSION
from freeloop.source.code.causes import GET_USER
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func
from freeloop.source.code.sites import Site, stronger

# Loaded once for a request, by whoever looks first.
LAZY = (GET_USER, SESSION)


def report(
    graph: Graph,
    rule: Rule,
    site: Site,
    message: str,
    *,
    subject: str = "",
    kind: str = "",
    mend: str = "",
    certainty: Certainty = Certainty.LIKELY,
    class_: FindingClass | None = None,
    also: Sequence[Site] = (),
    before: Guard = Guard.NONE,
) -> Finding:
    """Return the finding at a site.

    Args:
        graph: Tells the way to the site.
        rule: Which found it.
        site: Where.
        message: What happens, one sentence without a full stop.
        subject: Qualified name of what is called.
        kind: What it waits for.
        mend: What to write instead, "" if there is no short way.
        certainty: How sure.
        class_: If it is not the rule's own.
        also: Other sites of the same cause, named beside the other entry points.
        before: What stands before it that the way does not tell.
    """
    way = graph.way_to_site(site)
    if subject.startswith(LAZY) and graph.loaders.may_have_loaded(way.entry):
        before = stronger(before, Guard.LOADED)
    steps = [
        Step(graph.path(call.caller), call.site.line, call.caller.qualified, call.site.text)
        for call in way.calls
    ]
    steps.append(Step(graph.path(site.func), site.line, site.func.qualified, site.text))
    entry = way.entry.words if way.entry is not None else start_words(way.start)
    others = [Place(graph.path(other.func), other.func.line, other.words) for other in way.others]
    others += [Place(graph.path(other.func), other.line, other.text) for other in also]
    return Finding(
        rule=rule.id,
        name=rule.name,
        class_=class_ or rule.class_,
        path=graph.path(site.func),
        line=site.line,
        end_line=max(site.line, site.end_line),
        column=site.column,
        message=message,
        entry=entry,
        also=tuple(others),
        chain=tuple(steps),
        certainty=certainty,
        guard=stronger(way.guard, before),
        # Without a URLconf it is no Django site that we can read: then everything async counts
        # that is no test, unless there is an entry point of another kind.
        rooted=way.entry is not None or not (graph.is_readable or way.start.in_tests),
        subject=subject,
        kind=kind,
        fix=Fix(mend, Safety.SUGGEST) if mend else None,
        fingerprint=fingerprint(
            rule.id,
            cause=site.func.qualified,
            line_text=graph.line_text(site.func, site.line),
        ),
    )


def report_setting(
    graph: Graph,
    rule: Rule,
    path: str,
    line: int,
    message: str,
    *,
    subject: str,
    mend: str,
    certainty: Certainty = Certainty.CERTAIN,
    also: Sequence[Place] = (),
) -> Finding:
    """Return a finding in the settings, or in what they name, which no chain leads to."""
    return Finding(
        rule=rule.id,
        name=rule.name,
        class_=rule.class_,
        path=graph.shown(path),
        line=line,
        end_line=line,
        message=message,
        also=tuple(also),
        certainty=certainty,
        guard=Guard.NONE,
        subject=subject,
        fix=Fix(mend, Safety.SUGGEST),
        fingerprint=fingerprint(rule.id, cause=subject, line_text=""),
    )


def mend_of_helper(graph: Graph, site: Site, adapter: str) -> str:
    """Return how to mend what a sync function does that code on the loop calls.

    Args:
        graph: Tells the way, and whether the project has an async twin of a function on it.
        site: Where it happens.
        adapter: What runs a function in a thread, "asyncio.to_thread({}, ...)".
    """
    on_way = [call.callee for call in graph.way_to_site(site).calls if not call.callee.is_async]
    for func in on_way:
        twin = graph.own_twin(func)
        if twin is not None:
            return f"await {twin.last_name}(...), which is there already, for {func.last_name}(...)"
    first = on_way[0] if on_way else site.func
    return f"await {adapter.format(first.last_name)} where it is called, or an async version of it"


def start_words(func: Func) -> str:
    """Return words for a function that no entry point is known to reach."""
    kind = "async function" if func.is_async else "function"
    return f"{kind} {func.name.replace('.<locals>', '')}"


def short(subject: str) -> str:
    """Return a qualified name as people write it: the last two parts."""
    return ".".join(subject.split(".")[-2:])
