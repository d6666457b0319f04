"""RawEngine: runs loads in a child process, so that the parent's work does not disturb them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from freeloop.errors import FreeloopError
from freeloop.measure.client import frames
from freeloop.measure.client.child import Child, ClientCrashed
from freeloop.measure.client.wire import exchanges, target
from freeloop.model.request import Kind
from freeloop.model.run import Arrivals

if TYPE_CHECKING:
    from types import TracebackType

    from freeloop.measure.load import Load, LoadResult

_GUARD_S = 10.0


class RawEngine:
    """The load engine of freeloop: raw HTTP/1.1 on uvloop, in a process of its own.

    Used as a context manager. One child serves all runs; after an interrupt or a crash the next
    run starts a new one.
    """

    def __init__(self, cores: tuple[int, ...] = ()) -> None:
        """Remember the cores that the child is held to; empty: not held.

        Raises:
            FreeloopError: If this process may not use one of the cores.
        """
        if cores and hasattr(os, "sched_getaffinity"):
            allowed = os.sched_getaffinity(0)
            if not allowed.issuperset(cores):
                raise FreeloopError(
                    "no-such-core",
                    what=f"the load client cannot be held to the cores {sorted(cores)}",
                    where=f"cores that this process may use: {sorted(allowed)}",
                    mend="name some of these cores, or none",
                )
        self._cores = cores if hasattr(os, "sched_setaffinity") else ()
        self._child: Child | None = None

    def run(self, *loads: Load) -> tuple[LoadResult, ...]:
        """Run all loads side by side and return their results in the same order.

        Raises:
            FreeloopError: If a request cannot be sent as it is described.
            ClientCrashed: If the client fails; never a wait without end.
        """
        for load in loads:
            _check(load)
        if not loads:
            return ()
        within_s = max(_longest_s(load) for load in loads) + _GUARD_S
        try:
            report = self._started().ask(frames.Job(loads), within_s)
        except BaseException:
            # Its answer may still come, and must not be taken for that of the next load.
            self._kill()
            raise
        if report.error is not None:
            raise report.error
        if report.trace:
            self._kill()
            raise ClientCrashed(f"the load client failed\n{report.trace}")
        return report.results

    def __enter__(self) -> Self:
        try:
            self._started()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None and self._child is not None:
                self._child.leave()
        finally:
            self._kill()

    def _started(self) -> Child:
        if self._child is None:
            self._child = Child(self._cores)
            self._child.start()
        return self._child

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


def _longest_s(load: Load) -> float:
    """Return how long a load may take: opening connections, sending, waiting for the last."""
    sending_s = 0.0 if load.arrivals is Arrivals.BURST else load.seconds
    return load.timeout_s + sending_s + load.timeout_s


def _check(load: Load) -> None:
    """Raise for what cannot be sent, before anything is sent."""
    if not load.requests or load.connections < 1 or load.timeout_s <= 0:
        raise ValueError("a load needs requests, connections and a time-out")
    if load.arrivals is not Arrivals.BURST and load.seconds <= 0:
        raise ValueError("a load needs time: seconds must be above 0")
    if load.arrivals is Arrivals.OPEN and not (load.rate_rps and load.rate_rps > 0):
        raise ValueError("the open model of a load needs a rate above 0")
    for request in load.requests:
        target(request)
        exchanges(request, load.host)
    if len(load.requests) > 1 and any(one.kind is Kind.WEBSOCKET for one in load.requests):
        raise FreeloopError(
            "websocket-beside-others",
            what="a WebSocket cannot share its connections with other requests",
            where=", ".join(one.name for one in load.requests),
            mend="measure the WebSocket in a pair of its own",
        )
