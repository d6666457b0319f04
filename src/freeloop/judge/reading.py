"""Trace to Reading: everything that is concluded of one recorded request."""

from __future__ import annotations

from freeloop.judge.blocks import blocking_calls, long_stretches
from freeloop.judge.demand import demand
from freeloop.judge.django_hops import hops_of_django
from freeloop.judge.execution import execution
from freeloop.judge.held import unused_connections, unused_threads
from freeloop.judge.moments import moments
from freeloop.judge.serial import serial_awaits, serial_on_thread
from freeloop.judge.timeline import timeline
from freeloop.model.reading import Reading, TraceFinding, Weakness
from freeloop.model.trace import Trace

_FINDERS = (
    blocking_calls,
    long_stretches,
    serial_awaits,
    serial_on_thread,
    unused_connections,
    unused_threads,
    hops_of_django,
)


def read(trace: Trace) -> Reading:
    """Return the trace with its timeline, totals, execution table, key moments and findings."""
    lanes = timeline(trace)
    rows = execution(trace, lanes)
    findings = [finding for find in _FINDERS for finding in find(lanes, trace, rows)]
    return Reading(
        trace=trace,
        timeline=lanes,
        demand=demand(trace, lanes),
        rows=rows,
        moments=moments(trace, rows),
        findings=tuple(sorted(findings, key=_gravest_first)),
    )


def _gravest_first(finding: TraceFinding) -> tuple[bool, float, str]:
    """Sort what blocks the loop before all else: every other request pays for it as well."""
    return finding.weakness is not Weakness.BLOCKS_LOOP, -finding.cost_ms, finding.weakness
