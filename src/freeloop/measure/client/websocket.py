"""WebSocketLink: each message sent is one exchange, the next message is its answer."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns
from typing import TYPE_CHECKING, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.typing import Origin
from websockets.uri import parse_uri

from freeloop.measure.client.link import Link, Owner

if TYPE_CHECKING:
    from freeloop.measure.client.tally import Tally
    from freeloop.measure.client.wire import Exchange

_MESSAGE_LIMIT_BYTES = 16 << 20
# A consumer may greet: what comes before such a pause is no answer to anything.
_QUIET_S = 0.1
_LONGEST_GREETING_S = 1.0
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class HandshakeFailed(ConnectionError):  # noqa: N818 - named for what happened
    """The server does not open the WebSocket; the text is the reason to count."""

    def __init__(self, reason: str, body: bytes = b"") -> None:
        super().__init__(reason)
        self.body = body


class WebSocketLink(Link):
    """Ready when the handshake is over and the server has stopped greeting.

    A message that comes while nothing is in flight is read and dropped. A server that pushes
    messages of its own while one is in flight cannot be measured this way: the first message
    counts as the answer.
    """

    def __init__(self, owner: Owner, tally: Tally, uri: str, headers: dict[str, str]) -> None:
        super().__init__(owner, tally)
        parsed = parse_uri(uri)
        # Browsers always name the origin, and Channels refuses a handshake without one.
        self._protocol = ClientProtocol(
            parsed, origin=Origin(f"http://{parsed.host}"), max_size=_MESSAGE_LIMIT_BYTES
        )
        self._headers = headers
        self._message: list[bytes] = []
        self._quiet: asyncio.TimerHandle | None = None
        self._opened_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._made = True
        request = self._protocol.connect()
        for name, value in self._headers.items():
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()

    def write(self, exchange: Exchange) -> None:
        """Send the message."""
        self._protocol.send_text(exchange.payload)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Hand the bytes to the protocol and look what they completed."""
        now_ns = perf_counter_ns()
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and not self.over:
                self._take(event, now_ns)
        if self.over:
            return
        self._flush()
        if not self.ready.done():
            self._finish_handshake()
        elif self._protocol.parser_exc is not None:
            self.fail("not a WebSocket answer")

    def drop(self) -> None:
        """Say goodbye: a server logs an error when a WebSocket just vanishes."""
        if self._made and self._protocol.state is State.OPEN and not self._transport.is_closing():
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()
            self._transport.close()
            self._made = False
        super().drop()

    def connection_lost(self, error: Exception | None) -> None:
        """Lose the message in flight, if there is one."""
        if not self.ready.done():
            self.over = True
            self.ready.set_exception(HandshakeFailed("connection closed before the answer"))
            return
        super().connection_lost(error)

    def _finish_handshake(self) -> None:
        problem = self._protocol.handshake_exc
        if problem is None:
            if self._protocol.state is State.OPEN:
                self._wait_for_quiet()
            return
        self.over = True
        self._transport.abort()
        if isinstance(problem, InvalidStatus):
            answer = problem.response
            failed = HandshakeFailed(f"status {answer.status_code}", bytes(answer.body or b""))
        else:
            failed = HandshakeFailed("WebSocket refused")
        self.ready.set_exception(failed)

    def _wait_for_quiet(self) -> None:
        now_ns = perf_counter_ns()
        if self._quiet is None:
            self._opened_ns = now_ns
        elif now_ns - self._opened_ns > _LONGEST_GREETING_S * 1e9:
            return
        else:
            self._quiet.cancel()
        self._quiet = asyncio.get_running_loop().call_later(_QUIET_S, self._be_ready)

    def _be_ready(self) -> None:
        if not self.ready.done():
            self.ready.set_result(None)

    def _take(self, frame: Frame, now_ns: int) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.fail("connection closed before the answer")
            return
        exchange = self.exchange
        if frame.opcode not in _DATA or exchange is None:
            return
        if not self._first_ns:
            self._first_ns = now_ns
        self._message.append(bytes(frame.data))
        if not frame.fin:
            return
        message = b"".join(self._message)
        self._message = []
        if exchange.contains and exchange.contains not in message:
            self.exchange = None
            self.tally.wrong("wrong body", message)
        else:
            self.done(now_ns)
        self.owner.idle(self, now_ns)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
