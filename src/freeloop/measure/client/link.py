"""Link: one HTTP connection that carries one exchange at a time."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns
from typing import TYPE_CHECKING, Protocol, cast

from freeloop.measure.client.answer import CHUNKED, AnswerReader, BadAnswer
from freeloop.measure.client.events import EventEnds

if TYPE_CHECKING:
    from freeloop.measure.client.tally import Tally
    from freeloop.measure.client.wire import Exchange

_SWITCHING = 101
_KNOWN_ANSWERS = 16
_KNOWN_BYTES = 1 << 14


class Owner(Protocol):
    """Who gives a link its exchanges; called straight from the link's callbacks."""

    def idle(self, link: Link, now_ns: int) -> None:
        """The last exchange is over, the link can carry the next one."""

    def gone(self, link: Link, *, broken: bool) -> None:
        """The link carries nothing any more; broken: the server did not end it in order."""

    def again(self, exchange: Exchange, due_ns: int) -> None:
        """The server closed before it read this exchange, which may be sent once more."""


class Link(asyncio.Protocol):
    """State of one connection.

    Attributes:
        ready: Done when exchanges can be sent.
        exchange: In flight, or None.
        due_ns: When the exchange should have been sent.
        over: Whether the connection is given up.
    """

    def __init__(self, owner: Owner, tally: Tally) -> None:
        self.owner = owner
        self.tally = tally
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.exchange: Exchange | None = None
        self.due_ns = 0
        self._transport: asyncio.Transport
        self._made = False
        self._sent_ns = 0
        self._first_ns = 0
        self._answered = False
        self._repeats = False
        self.over = False
        self._reader = AnswerReader()
        self._touched = False
        self._seen_pieces = 0
        self._seen_chunks = 0
        self._ends_ns: list[int] = []
        self._event_ends = EventEnds()

    def send(self, exchange: Exchange, due_ns: int, now_ns: int, *, repeats: bool = False) -> None:
        """Send one exchange; repeats: it was sent before, on a connection that was closed."""
        self.exchange = exchange
        self.due_ns = due_ns
        self._repeats = repeats
        self._sent_ns = now_ns
        self._first_ns = 0
        self._touched = False
        self.write(exchange)

    def write(self, exchange: Exchange) -> None:
        """Put the exchange on the wire."""
        self._transport.write(exchange.payload)

    def fail(self, reason: str, body: bytes = b"") -> None:
        """Count the exchange in flight as failed and give the connection up."""
        if self.over:
            return
        self.over = True
        if self.exchange is not None:
            self.exchange = None
            self.tally.wrong(reason, body)
        self._transport.abort()
        self.owner.gone(self, broken=True)

    def drop(self) -> None:
        """Give the connection up without counting anything and without telling the owner."""
        self.over = True
        self.exchange = None
        if not self.ready.done():
            self.ready.cancel()
        if self._made:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport: an HTTP link is ready at once."""
        self._transport = cast("asyncio.Transport", transport)
        self._made = True
        if not self.ready.done():
            self.ready.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Read on in the answer; the times are taken before anything else is done."""
        now_ns = perf_counter_ns()
        exchange = self.exchange
        if exchange is None:
            self.fail("bytes after the end of the answer")
            return
        whole = not self._touched
        if whole:
            # The hot path: most views answer with the same bytes for a second, or for ever.
            if data in exchange.known:
                self._first_ns = now_ns
                self.done(now_ns)
                self._answered = True
                self.owner.idle(self, now_ns)
                return
            self._begin(exchange)
        reader = self._reader
        try:
            complete = reader.feed(data)
        except BadAnswer as error:
            self.fail(str(error), data)
            return
        if not self._first_ns and reader.pieces:
            self._first_ns = now_ns
        if exchange.streams:
            self._note_events(now_ns)
        if complete:
            self._judge(exchange, now_ns, data if whole else b"")
        elif not exchange.contains:
            reader.forget_body()
            self._seen_pieces = min(self._seen_pieces, len(reader.pieces))

    def eof_received(self) -> None:
        """Let the transport close: half-open connections are of no use here."""

    def connection_lost(self, error: Exception | None) -> None:
        """Find out whether that ends an answer, loses one, or was to be expected."""
        if self.over:
            return
        exchange = self.exchange
        if exchange is None:
            self.over = True
            self.owner.gone(self, broken=error is not None)
            return
        reason = "connection reset" if error else "connection closed before the answer"
        body = b""
        if self._touched:
            body = self._reader.body()
            try:
                if error is None and self._reader.close():
                    self._judge(exchange, perf_counter_ns())
                    return
            except BadAnswer as bad:
                reason = str(bad)
        elif exchange.repeatable and self._answered and not self._repeats:
            # RFC 9110 9.2.2: the server may close a kept-alive connection at any time, and a
            # client sends a safe request again when not one byte of an answer came.
            self.over = True
            self.exchange = None
            self.owner.again(exchange, self.due_ns)
            self.owner.gone(self, broken=False)
            return
        self.fail(reason, body)

    def done(self, now_ns: int) -> None:
        """Count a right answer to the exchange in flight."""
        self.exchange = None
        self.tally.right(self.due_ns, self._sent_ns, self._first_ns, now_ns)

    def _begin(self, exchange: Exchange) -> None:
        self._touched = True
        self._reader.begin(bodyless=exchange.bodyless)
        if exchange.streams:
            self._seen_pieces = self._seen_chunks = 0
            self._ends_ns = []
            self._event_ends = EventEnds()

    def _judge(self, exchange: Exchange, now_ns: int, whole: bytes = b"") -> None:
        """Count the answer; whole: its bytes, when they came in one piece."""
        reader = self._reader
        head = reader.head
        assert head is not None
        right = False
        if head.status != exchange.status:
            self.exchange = None
            self.tally.wrong(f"status {head.status}", reader.body())
        elif exchange.contains and exchange.contains not in reader.body():
            self.exchange = None
            self.tally.wrong("wrong body", reader.body())
        else:
            right = True
            self.done(now_ns)
            if exchange.streams:
                self.tally.events(self._ends_ns)
        if head.close or head.status == _SWITCHING:
            self.over = True
            self._transport.abort()
            self.owner.gone(self, broken=False)
        else:
            if right and reader.pieces and not exchange.streams:
                _remember(exchange, whole)
            self._answered = True
            self.owner.idle(self, now_ns)

    def _note_events(self, now_ns: int) -> None:
        reader = self._reader
        head = reader.head
        if head is None:
            return
        fresh = reader.pieces[self._seen_pieces :]
        self._seen_pieces = len(reader.pieces)
        if head.event_stream:
            ended = sum(self._event_ends.feed(piece) for piece in fresh)
        elif head.length == CHUNKED:
            ended = reader.chunks - self._seen_chunks
            self._seen_chunks = reader.chunks
        else:
            ended = 1 if fresh else 0
        self._ends_ns += [now_ns] * ended


def _remember(exchange: Exchange, whole: bytes) -> None:
    if not 0 < len(whole) <= _KNOWN_BYTES:
        return
    if len(exchange.known) == _KNOWN_ANSWERS:
        exchange.known.clear()
    exchange.known.add(whole)
