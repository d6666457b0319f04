"""Findings: hops that Django made for itself, and that `freeloop.relief` leaves out."""

from __future__ import annotations

from collections.abc import Sequence

from freeloop.judge.pairs import CALLS, Pair, Pairs, pair_marks
from freeloop.model.reading import Happening, Row, TraceFinding, Weakness
from freeloop.model.timeline import Timeline
from freeloop.model.trace import MarkKind, Trace
from freeloop.model.verdict import Basis

# What Django's ASGI handler and `MiddlewareMixin` send to a thread for every request: the
# receivers of a signal, a middleware's hooks, the closing of the response.
_HANDED = (
    ".sync_send",
    ".process_request",
    ".process_view",
    ".process_response",
    "HttpResponseBase.close",
)


def hops_of_django(timeline: Timeline, trace: Trace, rows: Sequence[Row]) -> list[TraceFinding]:
    """Return the hops in which Django's own code found nothing to wait for, as one finding.

    Their time is measured. That relief leaves each of them out is an estimate: it looks at the
    request and at what else is installed before it does.
    """
    if trace.request.relieved or trace.request.interface != "asgi":
        return []
    pairs = pair_marks(trace)
    hops = [hop for hop in pairs.of(MarkKind.HOP) if _is_django_own(hop, pairs)]
    if not hops:
        return []
    numbers = {(row.lane, row.start_ns): row.number for row in rows if row.what is Happening.HOP}
    return [
        TraceFinding(
            weakness=Weakness.HOPS_OF_DJANGO,
            basis=Basis.ESTIMATED,
            cost_ms=sum(hop.length_ns for hop in hops) / 1e6,
            places=tuple(dict.fromkeys(hop.place for hop in hops if hop.place is not None)),
            rows=tuple(numbers[hop.lane, hop.start_ns] for hop in hops),
            count=len(hops),
        )
    ]


def _is_django_own(hop: Pair, pairs: Pairs) -> bool:
    """Whether a hop runs code of Django's own that neither waits nor calls code of others."""
    if not (hop.text.startswith("django.") and hop.text.endswith(_HANDED)):
        return False
    work = next((work for work in pairs.of(MarkKind.WORK) if work.id == hop.id), None)
    if work is None:
        return False
    inside = [
        pair
        for pair in pairs.on(work.lane)
        if work.start_ns <= pair.start_ns and pair.end_ns <= work.end_ns and pair.order > work.order
    ]
    foreign = (
        pair.kind is MarkKind.RECEIVER and not pair.text.startswith("django.") for pair in inside
    )
    return not any(foreign) and not any(pair.kind in CALLS for pair in inside)
