"""`freeloop check`: read the project, ask every rule, keep what is not silenced, rank it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from freeloop.api.choice import Choice
from freeloop.fix.propose import Workshop
from freeloop.fix.verify import Checked
from freeloop.model.finding import Certainty, Finding, FindingClass, Findings
from freeloop.source.code.graph import Graph
from freeloop.source.code.project import Code, deep_calls, read_code
from freeloop.source.code.sites import weight

CLASSES = (FindingClass.CRASH, FindingClass.STALL, FindingClass.WASTE)
# What a wait costs, the dearest first.
KINDS = ("net", "proc", "sleep", "db", "lock", "dns", "cpu", "file", "")
CERTAINTIES = (Certainty.OBSERVED, Certainty.CERTAIN, Certainty.LIKELY)


def check_code(
    paths: Sequence[Path],
    *,
    start: Path,
    settings: str | None,
    choice: Choice | None = None,
    use_cache: bool = True,
) -> Findings:
    """Return what the rules find in a project.

    Args:
        paths: Files and directories that findings should be about; the project when empty.
        start: Where freeloop was called.
        settings: Settings module; found when None.
        choice: Which rules, and which files; all when None.
        use_cache: Whether to keep what was read for the next run.

    Raises:
        FreeloopError: If a path, the settings module or a rule does not exist.
    """
    return check_with_fixes(
        paths, start=start, settings=settings, choice=choice, use_cache=use_cache
    ).findings


def check_with_fixes(
    paths: Sequence[Path],
    *,
    start: Path,
    settings: str | None,
    choice: Choice | None = None,
    use_cache: bool = True,
    overlay: Mapping[str, bytes] | None = None,
) -> Checked:
    """Return what the rules find, and what each fix was made of.

    Args:
        paths: As for `check_code`, and so are those that follow.
        start: Where freeloop was called.
        settings: Settings module.
        choice: Rules and files.
        use_cache: Whether to keep what was read.
        overlay: Content of files by their absolute path, in place of that on the disk.
    """
    choice = choice or Choice()
    rules = choice.rules()
    code = read_code(
        start,
        paths,
        settings=settings,
        use_cache=use_cache,
        leaves_out=choice.leaves_out,
        knowledge=choice.knowledge,
        overlay=overlay,
    )
    workshop = Workshop(code.graph, overlay or {})
    with deep_calls():
        found = [finding for rule in rules for finding in rule.find(code.graph)]
        about = [finding for finding in found if _is_about(finding, code, start)]
        heard = [finding for finding in about if not _is_silenced(finding, code.graph, start)]
        kept = [each for each in heard if not choice.ignores(each, _absolute(each.path, start))]
        entries = len(code.graph.entries)
        mended = [workshop.propose(each) for each in sorted(_grouped(kept), key=_rank)]
    notes = list(code.notes)
    if not entries and any(True for _ in code.graph.async_functions()):
        notes.append(_without_entries(code.graph))
    findings = Findings(
        findings=tuple(finding for finding, _ in mended),
        files=code.files,
        entries=entries,
        unread=code.unread,
        suppressed=len(about) - len(heard),
        ignored=len(heard) - len(kept),
        notes=tuple(notes),
        environment={"settings": code.graph.settings.module, "root": str(code.root)},
    )
    return Checked(findings, tuple(each for _, each in mended if each is not None))


def _without_entries(graph: Graph) -> str:
    """Return where entry points were looked for, and what follows from there being none."""
    if not graph.is_readable:
        return "no entry point on the event loop was found: every async function counts as one"
    return (
        f"no entry point on the event loop was found: no async view below {graph.settings.urlconf},"
        " no async middleware of MIDDLEWARE, no async consumer, endpoint, receiver, ASGI"
        " application or bot handler; what other async functions do is only counted"
    )


def _grouped(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield each finding once: two rules, or two walks, may end at one place for one reason."""
    seen: set[tuple[str, str, int, str]] = set()
    for finding in findings:
        key = (finding.rule, finding.path, finding.line, finding.subject)
        if key not in seen:
            seen.add(key)
            yield finding


def _rank(finding: Finding) -> tuple[object, ...]:
    return (
        finding.folded,
        CLASSES.index(finding.class_),
        -(finding.cost_ms or 0.0),
        weight(finding.guard),
        KINDS.index(finding.kind) if finding.kind in KINDS else len(KINDS),
        CERTAINTIES.index(finding.certainty),
        -len(finding.also),
        finding.path,
        finding.line,
        finding.rule,
    )


def _is_about(finding: Finding, code: Code, start: Path) -> bool:
    """Tell whether a finding lies in the asked files, or is reached from one of them."""
    places = {finding.path, *(step.path for step in finding.chain)}
    return any(_absolute(path, start) in code.asked for path in places)


def _is_silenced(finding: Finding, graph: Graph, start: Path) -> bool:
    """Tell whether a comment on one of the finding's lines silences it."""
    module = graph.program.index.module_of(_absolute(finding.path, start))
    if module is None or not module.ignored:
        return False
    for line in range(finding.line, finding.end_line + 1):
        names = module.ignored.get(line, ())
        if {"*", finding.rule, finding.name} & set(names):
            return True
    return False


def _absolute(path: str, start: Path) -> str:
    return path if os.path.isabs(path) else f"{start}{os.sep}{path}"  # noqa: PTH117 - text
