"""What a recorded request was charged, in the terms in which relief and the simulator compute it.

A hop is one call of asgiref's adapters, wherever it then runs. The stack is simulated, relief's
count and a trace all give a `Charge`, so that they are compared with each other and not by eye.
"""

from __future__ import annotations

from freeloop.judge.pairs import pair_marks
from freeloop.model.relief import Charge
from freeloop.model.trace import Edge, MarkKind, Trace


def charge_of(trace: Trace) -> Charge:
    """Return the hops of a trace, by the names of their functions, and the threads it started."""
    pairs = pair_marks(trace)
    started = sum(
        mark.kind is MarkKind.THREAD_STARTED and mark.edge is Edge.POINT for mark in trace.marks
    )
    return Charge(
        to_thread=tuple(pair.text for pair in pairs.of(MarkKind.HOP)),
        to_loop=tuple(pair.text for pair in pairs.of(MarkKind.BACK)),
        threads=started,
    )
