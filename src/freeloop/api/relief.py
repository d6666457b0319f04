"""Carry out `freeloop.api.relief`: question the project, count one GET if asked to, compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from freeloop.api.preparation import refuse_unknown_paths, refuse_unreachable
from freeloop.judge.relief import differences
from freeloop.model.relief import Count, Counted, Explanation, ReliefReport
from freeloop.source import relief as source
from freeloop.source.facts import Facts, Target, inspect_project, resolve
from freeloop.source.project import find_project
from freeloop.source.requests import parse_target


def report(
    url: str | None,
    *,
    start: Path,
    settings: str | None,
    python: str | None,
    announce: Callable[[str], None],
) -> ReliefReport:
    """Return what relief leaves out, with a GET of `url` counted unless that is None."""
    project = find_project(start, settings=settings, python=python)
    facts = inspect_project(project)
    if url is None:
        return ReliefReport(source.explain(project), None, _environment(facts))
    refuse_unreachable(facts)
    (target,) = resolve(project, [parse_target(url)])
    refuse_unknown_paths({target.request.name: target})
    for database in facts.databases:
        announce(f"database {database.sentence}")
    explanation, view, stock, relieved = source.count(project, target, facts)
    count = _compared(explanation, target, view, stock, relieved)
    return ReliefReport(explanation, count, _environment(facts))


def _compared(
    explanation: Explanation, target: Target, view: str, stock: Counted, relieved: Counted
) -> Count:
    cost = explanation.async_view if target.is_async else explanation.sync_view
    return Count(
        path=target.path,
        view=target.view or "",
        view_is_async=target.is_async is True,
        stock=stock,
        relieved=relieved,
        stock_differences=differences(explanation, cost.stock, stock.charge, view=view),
        relieved_differences=differences(explanation, cost.relieved, relieved.charge, view=view),
    )


def _environment(facts: Facts) -> dict[str, str]:
    named = {f"database {each.alias}": each.sentence for each in facts.databases}
    return {"python": facts.python, **facts.packages, **named}
