"""What every load engine takes and gives; the engines themselves live beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from freeloop.model.request import RequestSpec
from freeloop.model.run import Arrivals

Milliseconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Load:
    """One stretch of load against one server on the loopback interface.

    Attributes:
        port: TCP port on 127.0.0.1.
        requests: Sent in turn, so each gets the same share; every `url` is known.
        arrivals: CLOSED, OPEN or BURST.
        connections: Connections (closed, burst), or the most requests in flight (open).
        seconds: How long new requests are sent; a burst sends once and ignores it.
        rate_rps: Arrivals per second, open model only.
        timeout_s: A request that takes longer is counted as failed.
        host: Value of the Host header.
    """

    port: int
    requests: tuple[RequestSpec, ...]
    arrivals: Arrivals = Arrivals.CLOSED
    connections: int = 1
    seconds: float = 1.0
    rate_rps: float | None = None
    timeout_s: float = 30.0
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Raw samples of one stretch of load; arrays have one value per right answer.

    Attributes:
        seconds: First request sent to the end of counting.
        completed: Right answers that arrived within `seconds`.
        failed: Wrong status, wrong body, refused, timed out.
        failures: Reason of failure to count, such as "status 500" or "timed out".
        latency_ms: Shape (completed,): sent (open model: due) to last byte.
        first_byte_ms: Shape (answers with a body,): sent to first body byte.
        gap_ms: Shape (all gaps,): between the events of streams.
        finished_ms: Shape (completed,): start of the load to last byte.
        late: Right answers that came after a closed model's window; the server worked for them.
        client_cpu_ms: CPU that the client itself used, milliseconds.
        sample_failure: Start of the first wrong answer's body, to show to the user; "" if none.
    """

    seconds: float
    completed: int
    failed: int
    failures: Mapping[str, int]
    latency_ms: Milliseconds
    first_byte_ms: Milliseconds
    gap_ms: Milliseconds
    finished_ms: Milliseconds
    late: int = 0
    client_cpu_ms: float = 0.0
    sample_failure: str = ""
    notes: tuple[str, ...] = field(default=())


class LoadEngine(Protocol):
    """Sends load; a context manager, so that nothing of it is left behind."""

    def run(self, *loads: Load) -> tuple[LoadResult, ...]:
        """Run all loads side by side and return their results in the same order."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
