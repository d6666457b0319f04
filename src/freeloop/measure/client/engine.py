"""RawEngine: runs loads in a child process, so that the parent's work does not disturb them."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from freeloop.errors import FreeloopError
from freeloop.measure.client import frames
from freeloop.measure.client.wire import exchanges, target
from freeloop.model.request import Kind
from freeloop.model.run import Arrivals

if TYPE_CHECKING:
    from types import TracebackType

    from freeloop.measure.load import Load, LoadResult

_GUARD_S = 10.0
_GOODBYE_S = 1.0
_TAIL_BYTES = 4000

# The place of freeloop goes to the end of the path and -P keeps the current folder off it, so
# that no module of the user's project stands in for one of the standard library.
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from freeloop.measure.client.worker import main; "
    "main(tuple(int(core) for core in sys.argv[2:]))"
)


class ClientCrashed(RuntimeError):  # noqa: N818 - named for what happened
    """The load client ended or failed where it must not; the text holds what it said."""


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
        self._child: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

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
        child = self._start()
        within_s = max(_longest_s(load) for load in loads) + _GUARD_S
        try:
            report = self._ask(child, frames.Job(loads), within_s)
        except BaseException:
            self._kill()
            raise
        if report.error is not None:
            raise report.error
        if report.trace:
            raise ClientCrashed(f"the load client failed\n{report.trace}")
        return report.results

    def __enter__(self) -> Self:
        try:
            self._start()
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
        if error is None and self._child is not None:
            assert self._child.stdin is not None
            self._child.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_GOODBYE_S)
        self._kill()

    def _ask(
        self, child: subprocess.Popen[bytes], job: frames.Job, within_s: float
    ) -> frames.Report:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            frames.write(child.stdin.fileno(), job)
            report = frames.read(child.stdout.fileno(), within_s=within_s)
        except TimeoutError:
            raise ClientCrashed(f"the load client gave no result in {within_s:.0f} s") from None
        except (EOFError, BrokenPipeError):
            code = child.wait(_GOODBYE_S)
            raise ClientCrashed(f"the load client ended with code {code}\n{self._tail()}") from None
        assert isinstance(report, frames.Report)
        return report

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            # A file, not a pipe: nobody reads it while a load runs, and a full pipe would block.
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _kill()
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, _root(), *map(str, self._cores)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=0,
                process_group=0,
            )
        return self._child

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()
        if self._said is not None:
            self._said.close()
            self._said = None

    def _tail(self) -> str:
        assert self._said is not None
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(size - _TAIL_BYTES, 0))
        return self._said.read().decode(errors="replace")


def _root() -> str:
    """Return the folder from which this freeloop was imported."""
    import freeloop

    return str(Path(freeloop.__file__).parents[1])


def _longest_s(load: Load) -> float:
    """Return how long a load may take: opening connections, sending, waiting for the last."""
    sending_s = 0.0 if load.arrivals is Arrivals.BURST else load.seconds
    opening_s = load.timeout_s * math.ceil(load.connections / 50)
    return opening_s + sending_s + load.timeout_s


def _check(load: Load) -> None:
    """Raise for what cannot be sent, before anything is sent."""
    if not load.requests or load.connections < 1 or load.timeout_s <= 0:
        raise ValueError("a load needs requests, connections and a time-out")
    if load.arrivals is not Arrivals.BURST and load.seconds <= 0:
        raise ValueError("a load needs time: seconds must be above 0")
    if load.arrivals is Arrivals.OPEN and not (load.rate_rps and load.rate_rps > 0):
        raise ValueError("the open model needs a rate above 0")
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
