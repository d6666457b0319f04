"""The join: where it could block, found by reading, with what it did cost, seen by running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from freeloop.judge.reading import read
from freeloop.model.finding import (
    Certainty,
    Finding,
    FindingClass,
    Findings,
    Step,
    fingerprint,
)
from freeloop.model.reading import Weakness
from freeloop.model.trace import Origin, Trace
from freeloop.model.verdict import Basis
from freeloop.model.watched import Report

OBSERVED_RULE, OBSERVED_NAME = "FL100", "observed-block"


@dataclass(frozen=True, slots=True)
class Observation:
    """A line that held an event loop.

    Attributes:
        steps: The lines of the stack that are known, the innermost first.
        ms: How long, for one request.
        basis: Of `ms`.
        text: What was called there; "" if not known.
        route: Pattern of the request; "" if not known.
    """

    steps: tuple[Step, ...]
    ms: float
    basis: Basis
    text: str = ""
    route: str = ""


def observed_in_trace(trace: Trace) -> Iterator[Observation]:
    """Yield what held the loop in one recorded request."""
    for found in read(trace).findings:
        if found.weakness is not Weakness.BLOCKS_LOOP:
            continue
        places = [trace.places[index] for index in found.places]
        steps = tuple(
            Step(place.path, place.line, place.function, found.text)
            for place in places
            if place.origin is Origin.PROJECT
        )
        if steps:
            route = trace.request.route or ""
            yield Observation(steps, found.cost_ms, found.basis, found.text, route)


def observed_in_reports(reports: Iterable[Report]) -> Iterator[Observation]:
    """Yield what held the loops of running workers, one for each line, with its mean length."""
    by_line: dict[tuple[str, int], list[Report]] = {}
    for report in reports:
        line = report.stretch.line
        if line is not None and report.stretch.kind.value == "block":
            by_line.setdefault((line[0], line[1]), []).append(report)
    for found in by_line.values():
        stretch = found[0].stretch
        steps = tuple(Step(frame[0], frame[1], frame[2]) for frame in stretch.frames)
        mean_ms = sum(each.stretch.ms for each in found) / len(found)
        yield Observation(steps, mean_ms, Basis.MEASURED, stretch.callee or "", stretch.route or "")


def join(found: Findings, observations: Sequence[Observation]) -> Findings:
    """Return one list: findings with what they cost, and what only running showed, dearest first.

    An observation belongs to the finding whose cause it saw, else to one whose way leads through
    its innermost line. A finding that was observed is no guess, whatever stands before it.
    """
    findings = list(found.findings)
    alone: list[Observation] = []
    for seen in observations:
        index = _index_of(findings, seen)
        if index is None:
            alone.append(seen)
        else:
            before = findings[index]
            findings[index] = replace(
                before,
                cost_ms=max(seen.ms, before.cost_ms or 0.0),
                basis=seen.basis,
                certainty=Certainty.OBSERVED,
                rooted=True,
            )
    findings += [_finding(seen) for seen in alone]
    # What was seen comes first, by its cost; the rest keeps its order.
    findings.sort(key=lambda each: -(each.cost_ms or 0.0))
    return replace(found, findings=tuple(findings))


def _index_of(findings: Sequence[Finding], seen: Observation) -> int | None:
    for step in seen.steps:
        for index, finding in enumerate(findings):
            if _same_file(finding.path, step.path) and (
                finding.line <= step.line <= max(finding.line, finding.end_line)
            ):
                return index
    for index, finding in enumerate(findings):
        if finding.class_ is FindingClass.STALL and any(
            _same_file(step.path, seen.steps[0].path) and step.line == seen.steps[0].line
            for step in finding.chain
        ):
            return index
    return None


def _same_file(one: str, other: str) -> bool:
    """Tell whether two paths name one file: either may be relative to somewhere below."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _finding(seen: Observation) -> Finding:
    step = seen.steps[0]
    what = seen.text or step.function or "this line"
    return Finding(
        rule=OBSERVED_RULE,
        name=OBSERVED_NAME,
        class_=FindingClass.STALL,
        path=step.path,
        line=step.line,
        end_line=step.line,
        message=f"{what} held the event loop; reading does not tell why",
        entry=seen.route,
        chain=(step,),
        certainty=Certainty.OBSERVED,
        cost_ms=seen.ms,
        basis=seen.basis,
        fingerprint=fingerprint(OBSERVED_RULE, cause=step.function, line_text=what),
    )
