"""The three arrival models: when a request is sent, and which answers count."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns
from typing import TYPE_CHECKING

from freeloop.measure.client.drive import Arrival, Drive
from freeloop.model.run import Arrivals

if TYPE_CHECKING:
    from freeloop.measure.client.link import Link
    from freeloop.measure.load import Load, LoadResult

_NS_PER_S = 1_000_000_000
# uvloop's timers have whole milliseconds. What is due within half of one is sent now, so that
# the client does not spin; it then counts as due now, so that no latency gets shorter.
_EARLY_NS = 500_000


class Closed(Drive):
    """Each connection sends again as soon as it was answered; late answers do not count."""

    def start(self) -> None:
        """Send on every connection, and open the ones that are missing."""
        self.tally.until_ns = self.started_ns + int(self.load.seconds * _NS_PER_S)
        for link in list(self.links):
            self.idle(link, perf_counter_ns())
        for _ in range(self.load.connections - len(self.links) - self.opening):
            self.open_later(self.pause_s())

    def idle(self, link: Link, now_ns: int) -> None:
        """Send the next request at once."""
        if not self._sending or now_ns >= self.tally.until_ns:
            self.check_over()
        elif self.waiting:
            self.give(link, self.waiting.popleft(), now_ns)
        else:
            link.send(self.next_exchange(link), now_ns, now_ns)

    def replace(self, pause_s: float) -> None:
        """Keep the number of connections."""
        if self._sending:
            self.open_later(pause_s)

    def stop(self) -> None:
        """Forget what was to be sent again: its answer could not come within the window."""
        self.waiting.clear()

    def result(self) -> LoadResult:
        """Return the window: what ended in it, over its length."""
        return self.tally.result(self.started_ns, self.tally.until_ns)


class Open(Drive):
    """Constant arrivals from a schedule, whether or not the server keeps up.

    An arrival that finds no free connection waits, and its wait counts; answers count however
    late they are: leaving them out is what makes a stalling server look good.
    """

    def __init__(self, load: Load) -> None:
        super().__init__(load)
        rate_rps = load.rate_rps or 0.0
        self._period_ns = _NS_PER_S / rate_rps
        self._arrivals = max(1, round(load.seconds * rate_rps))
        self._arrived = 0
        self._free: list[Link] = []
        self._paused = False

    async def prepare(self) -> None:
        """Open WebSockets alone: they stay open, while HTTP opens as many as are needed."""
        if self.sockets:
            await super().prepare()

    def start(self) -> None:
        """Let the first request arrive."""
        self._arrive()

    def idle(self, link: Link, now_ns: int) -> None:
        """Take the arrival that waits longest, or wait for the next one."""
        if self.waiting:
            self.give(link, self.waiting.popleft(), now_ns)
        else:
            self._free.append(link)
            self.check_over()

    def gone(self, link: Link, *, broken: bool) -> None:
        """Take the link out of the free ones too."""
        if link in self._free:
            self._free.remove(link)
        super().gone(link, broken=broken)

    def replace(self, pause_s: float) -> None:
        """Open a connection only if somebody waits for it, and not before the pause is over."""
        if pause_s and not self._paused:
            self._paused = True
            asyncio.get_running_loop().call_later(pause_s, self._resume)
        self._open_needed()

    def refused(self, reason: str, body: bytes) -> None:
        """Fail one arrival, or everybody who waits when there is no connection at all."""
        lost = 1 if self.links else len(self.waiting)
        for _ in range(min(lost, len(self.waiting))):
            self.waiting.popleft()
            self.tally.wrong(reason, body)

    def finished(self) -> bool:
        """Whether every arrival has come and has been answered."""
        return self._arrived == self._arrivals and super().finished()

    def result(self) -> LoadResult:
        """Return all answers, over the window or until the last of them."""
        window_ns = self.started_ns + int(self.load.seconds * _NS_PER_S)
        return self.tally.result(self.started_ns, max(window_ns, self.tally.last_ns() or 0))

    def _arrive(self) -> None:
        now_ns = perf_counter_ns()
        due_ns = self._due_ns()
        while self._arrived < self._arrivals and due_ns <= now_ns + _EARLY_NS:
            self._arrived += 1
            self.waiting.append(Arrival(min(due_ns, now_ns)))
            due_ns = self._due_ns()
        while self.waiting and self._free:
            self.give(self._free.pop(), self.waiting.popleft(), now_ns)
        self._open_needed()
        if self._arrived < self._arrivals:
            wait_s = (due_ns - now_ns) / _NS_PER_S
            asyncio.get_running_loop().call_later(max(wait_s, 0.0), self._arrive)

    def _due_ns(self) -> int:
        return self.started_ns + int(self._arrived * self._period_ns)

    def _open_needed(self) -> None:
        if self._paused:
            return
        room = self.load.connections - len(self.links) - self.opening
        for _ in range(min(room, len(self.waiting) - self.opening)):
            self.open_later(0.0)

    def _resume(self) -> None:
        self._paused = False
        self._open_needed()


class Burst(Drive):
    """All connections are open, then all send at once, one request each."""

    def opened(self, link: Link) -> None:
        """Wait for the common start."""

    def start(self) -> None:
        """Send on all connections; there is nothing more to send."""
        links = list(self.links)
        for link in links:
            link.send(self.next_exchange(link), self.started_ns, perf_counter_ns())
        self._stop()

    def gone(self, link: Link, *, broken: bool) -> None:
        """Count a connection that was closed before the common start."""
        if not self.started_ns:
            self.tally.wrong("connection closed before the answer")
        super().gone(link, broken=broken)

    def idle(self, link: Link, now_ns: int) -> None:
        """One answer is all that a connection gives."""
        self.check_over()

    def result(self) -> LoadResult:
        """Return all answers, until the last of them."""
        return self.tally.result(self.started_ns, self.tally.last_ns() or perf_counter_ns())


def drive(load: Load) -> Drive:
    """Return the drive of the load's arrival model."""
    match load.arrivals:
        case Arrivals.CLOSED:
            return Closed(load)
        case Arrivals.OPEN:
            return Open(load)
        case Arrivals.BURST:
            return Burst(load)
