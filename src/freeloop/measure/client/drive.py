"""Drive: keeps the connections of one load and ends it in bounded time."""

from __future__ import annotations

import asyncio
import errno
from abc import ABC, abstractmethod
from collections import deque
from itertools import cycle
from time import perf_counter_ns
from typing import TYPE_CHECKING, NamedTuple

from freeloop.measure.client.link import Link
from freeloop.measure.client.tally import Tally
from freeloop.measure.client.wire import Exchange, exchanges, extra_headers, target
from freeloop.model.request import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freeloop.measure.load import Load, LoadResult

_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.25
_AT_ONCE = 50
_NS_PER_S = 1_000_000_000


class Arrival(NamedTuple):
    """One exchange that waits for a connection; exchange None: whatever is next in turn."""

    due_ns: int
    exchange: Exchange | None = None


class Drive(ABC):
    """What the three arrival models have in common.

    Attributes:
        links: Open connections.
        opening: Connections on their way.
        waiting: Arrivals without a connection, in the order in which they are due.
        started_ns: First request sent.
        sockets: Whether the connections are WebSockets.
    """

    def __init__(self, load: Load) -> None:
        self.load = load
        self.tally = Tally()
        self.links: set[Link] = set()
        self.opening = 0
        self.waiting: deque[Arrival] = deque()
        self.started_ns = 0
        self._sending = False
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._crash: BaseException | None = None
        self._pause_s = _FIRST_PAUSE_S
        self.sockets = load.requests[0].kind is Kind.WEBSOCKET
        self._turn = self._turns()
        self._link_turns: dict[Link, Iterator[Exchange]] = {}

    async def prepare(self) -> None:
        """Open all connections, so that what is measured holds requests alone."""
        await self.open_all(self.load.connections)

    async def run(self) -> None:
        """Send, and wait for what is in flight; what was counted is the result then."""
        loop = asyncio.get_running_loop()
        self.started_ns = perf_counter_ns()
        self._sending = True
        self.start()
        sweeper = loop.create_task(self._sweep())
        ending = loop.call_later(self.load.seconds, self._stop)
        try:
            await self._over.wait()
        finally:
            ending.cancel()
            sweeper.cancel()
            for task in self._tasks:
                task.cancel()
            for link in self.links:
                link.drop()
        if self._crash is not None:
            raise self._crash

    @abstractmethod
    def start(self) -> None:
        """Send the first requests."""

    def stop(self) -> None:  # noqa: B027 - a hook, most models need none
        """Send nothing that is not due yet."""

    def result(self) -> LoadResult:
        """Return what was counted."""
        return self.tally.result(self.started_ns, perf_counter_ns())

    def opened(self, link: Link) -> None:
        """Use a connection that has just been opened."""
        self.idle(link, perf_counter_ns())

    def refused(self, reason: str, body: bytes) -> None:
        """Count what a connection that could not be opened loses."""
        self.tally.wrong(reason, body)

    @abstractmethod
    def idle(self, link: Link, now_ns: int) -> None:
        """Give a link that can carry an exchange the next one."""

    def gone(self, link: Link, *, broken: bool) -> None:
        """Take a link out; after a failure the next connection is opened after a pause."""
        self.links.discard(link)
        self._link_turns.pop(link, None)
        self.replace(self.pause_s() if broken else 0.0)
        self.check_over()

    def replace(self, pause_s: float) -> None:  # noqa: B027 - a hook, bursts need none
        """Open a connection for one that is gone, if the model wants that."""

    def again(self, exchange: Exchange, due_ns: int) -> None:
        """Put an exchange that a closed connection did not take at the front."""
        self.tally.repeated += 1
        self.waiting.appendleft(Arrival(due_ns, exchange))

    def give(self, link: Link, arrival: Arrival, now_ns: int) -> None:
        """Send an arrival on this link."""
        due_ns, exchange = arrival
        if exchange is None:
            link.send(self.next_exchange(link), due_ns, now_ns)
        else:
            link.send(exchange, due_ns, now_ns, repeats=True)

    def next_exchange(self, link: Link) -> Exchange:
        """Return the next in turn; a WebSocket goes through its messages on its own."""
        if not self.sockets:
            return next(self._turn)
        if link not in self._link_turns:
            self._link_turns[link] = self._turns()
        return next(self._link_turns[link])

    def in_flight(self) -> bool:
        """Whether an answer is still to come."""
        return any(link.exchange is not None for link in self.links)

    def finished(self) -> bool:
        """Whether nothing is left to wait for once sending has stopped."""
        return not self.waiting and not self.in_flight()

    def check_over(self) -> None:
        """End the load when sending has stopped and nothing is left to wait for."""
        if self.started_ns and not self._sending and self.finished():
            self._over.set()

    def pause_s(self) -> float:
        """Return how long to wait before the next connection; longer each time in a row."""
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return pause_s

    def open_later(self, pause_s: float) -> None:
        """Open a connection in a task of its own."""
        self.opening += 1
        task = asyncio.get_running_loop().create_task(self._open(pause_s, self.load.timeout_s))
        self._tasks.add(task)
        task.add_done_callback(self._opened_or_crashed)

    async def open_all(self, count: int) -> None:
        """Open connections, a few at a time: a full backlog would cost a second each."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self.load.timeout_s
        while count > 0:
            some = min(count, _AT_ONCE)
            count -= some
            self.opening += some
            left_s = until_s - loop.time()
            await asyncio.gather(*(self._open(0.0, left_s) for _ in range(some)))

    def _opened_or_crashed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._crash = task.exception()
            self._over.set()

    async def _open(self, pause_s: float, within_s: float) -> None:
        if pause_s:
            await asyncio.sleep(pause_s)
        link = self._new_link()
        try:
            async with asyncio.timeout(within_s):
                await asyncio.get_running_loop().create_connection(
                    lambda: link, "127.0.0.1", self.load.port
                )
                await link.ready
        except TimeoutError:
            link.drop()
            self._refuse("timed out while connecting")
        except OSError as error:
            self._refuse(_reason(error), getattr(error, "body", b""))
        except asyncio.CancelledError:
            link.drop()
            raise
        else:
            self.opening -= 1
            if link.over:
                self._lose("connection closed before the answer")
                return
            self._pause_s = _FIRST_PAUSE_S
            self.links.add(link)
            self.opened(link)

    def _refuse(self, reason: str, body: bytes = b"") -> None:
        self.opening -= 1
        self._lose(reason, body)

    def _lose(self, reason: str, body: bytes = b"") -> None:
        self.refused(reason, body)
        self.replace(self.pause_s())
        self.check_over()

    def _new_link(self) -> Link:
        if not self.sockets:
            return Link(self, self.tally)
        from freeloop.measure.client.websocket import WebSocketLink

        request = self.load.requests[0]
        uri = f"ws://{self.load.host}{target(request)}"
        return WebSocketLink(self, self.tally, uri, extra_headers(request))

    def _turns(self) -> Iterator[Exchange]:
        host = self.load.host
        return cycle([one for request in self.load.requests for one in exchanges(request, host)])

    def _stop(self) -> None:
        self._sending = False
        self.stop()
        self.check_over()

    async def _sweep(self) -> None:
        """Fail what takes longer than the time-out: one timer for all, not one each."""
        timeout_ns = int(self.load.timeout_s * _NS_PER_S)
        every_s = min(max(self.load.timeout_s / 20, 0.01), 0.25)
        while True:
            await asyncio.sleep(every_s)
            oldest_ns = perf_counter_ns() - timeout_ns
            for link in [link for link in self.links if link.exchange is not None]:
                if link.due_ns < oldest_ns:
                    link.fail("timed out")
            while self.waiting and self.waiting[0].due_ns < oldest_ns:
                self.waiting.popleft()
                self.tally.wrong("timed out")
            self.check_over()


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.ECONNREFUSED:
            return "connection refused"
        case errno.ECONNRESET:
            return "connection reset"
        case errno.EADDRNOTAVAIL:
            return "no free local port"
        case errno.EMFILE | errno.ENFILE:
            return "too many open files"
        case _:
            return str(error) or type(error).__name__
