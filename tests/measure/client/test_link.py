from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import numpy as np
import pytest

from freeloop.measure.load import Load
from freeloop.model.request import Expect, Kind, RequestSpec
from tests.measure.client.scripted import OK, Peer, always, load_once, open_load, serving

if TYPE_CHECKING:
    from freeloop.measure.client import RawEngine

pytestmark = pytest.mark.real

CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
PAGE = RequestSpec(name="page", url="/")
HEAD = RequestSpec(name="head", url="/", method="HEAD")


@pytest.mark.parametrize(
    "pieces",
    [
        (OK,),
        (b"HTTP/1.1 100 Continue\r\n\r\n", OK),
        tuple(CHUNKS[at : at + 1] for at in range(len(CHUNKS))),
    ],
    ids=["whole", "continue first", "byte by byte"],
)
def test_one_connection_carries_all_answers(engine: RawEngine, pieces: tuple[bytes, ...]) -> None:
    """Keep-alive: opening a connection per request would measure the opening."""
    with serving(always(*pieces)) as seen:
        result = load_once(engine, seen.port, count=10)

    assert (result.completed, result.failed) == (10, 0)
    assert seen.connections == 1
    assert result.first_byte_ms.shape == (10,)


def test_time_to_first_byte_is_that_of_the_body(engine: RawEngine) -> None:
    """A head sent early says nothing: the reader waits for the body."""
    with serving(always(OK[:-5], OK[-5:-3], OK[-3:], gap_s=0.05)) as seen:
        result = load_once(engine, seen.port)

    assert 45 <= result.first_byte_ms[0] < result.latency_ms[0] - 40


def test_a_head_request_ends_with_the_head(engine: RawEngine) -> None:
    """Its answer names a length that is not sent."""
    with serving(always(OK[:-5])) as seen:
        result = load_once(
            engine, seen.port, RequestSpec(name="p", url="/", method="HEAD"), count=3
        )

    assert (result.completed, result.failed) == (3, 0)
    assert result.first_byte_ms.size == 0
    assert seen.requests[0].startswith(b"HEAD / HTTP/1.1\r\n")


def test_requests_are_sent_in_turn(engine: RawEngine) -> None:
    """Each gets the same share."""
    requests = [RequestSpec(name=name, url=f"/{name}/") for name in "abc"]

    with serving(always(OK)) as seen:
        load_once(engine, seen.port, *requests, count=6)

    assert [head.split()[1] for head in seen.requests] == [b"/a/", b"/b/", b"/c/"] * 2


def test_each_answer_is_judged_by_its_own_bytes(engine: RawEngine) -> None:
    """An answer that was right once is right again; one that differs in a byte is read."""
    wrong = OK.replace(b"hello", b"later")
    broken = b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nhello"

    async def script(peer: Peer) -> None:
        for answer in (OK, OK, wrong, OK, broken, OK, OK):
            await peer.request()
            await peer.send(answer)

    with serving(script) as seen:
        result = load_once(
            engine,
            seen.port,
            RequestSpec(name="p", url="/", expect=Expect(contains="hello")),
            count=7,
        )

    assert result.completed == 5
    assert result.failures == {"wrong body": 1, "status 500": 1}
    assert result.first_byte_ms.shape == (5,)


def test_a_known_answer_may_come_in_pieces(engine: RawEngine) -> None:
    """What is known is a whole answer: its first half is still the start of one."""

    async def script(peer: Peer) -> None:
        for _ in range(3):
            await peer.request()
            await peer.send(OK)
            await peer.request()
            await peer.send(OK[:20], OK[20:], gap_s=0.02)

    with serving(script) as seen:
        result = load_once(engine, seen.port, count=6)

    assert (result.completed, result.failed) == (6, 0)


@pytest.mark.parametrize(
    ("answer", "expect", "reason"),
    [
        (b"HTTP/1.1 500 No\r\nContent-Length: 6\r\n\r\nbroken", Expect(), "status 500"),
        (OK.replace(b"hello", b"later"), Expect(contains="hello"), "wrong body"),
    ],
)
def test_a_wrong_answer_is_counted_by_reason_and_shown(
    engine: RawEngine, answer: bytes, expect: Expect, reason: str
) -> None:
    """A fast error page must not look like a fast view."""
    RequestSpec(name="page", url="/", expect=expect)

    with serving(always(answer)) as seen:
        result = load_once(
            engine, seen.port, RequestSpec(name="p", url="/", expect=expect), count=4
        )

    assert result.failures == {reason: 4}
    assert (result.completed, result.failed, result.latency_ms.size) == (0, 4, 0)
    assert result.sample_failure == answer.decode().rpartition("\r\n")[2]
    assert seen.connections == 1


def test_the_right_body_is_found_across_pieces(engine: RawEngine) -> None:
    """What must be contained may be cut in two by a packet."""
    with serving(always(OK[:-3], OK[-3:], gap_s=0.01)) as seen:
        request = RequestSpec(name="p", url="/", expect=Expect(contains="hello"))
        result = load_once(engine, seen.port, request)

    assert result.completed == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "not an HTTP/1.1 answer"),
        (OK + b"!", "bytes after the end of the answer"),
        (OK[:-1], "connection closed inside the answer"),
        (b"", "connection closed before the answer"),
    ],
)
def test_garbage_is_counted_by_reason_and_the_load_goes_on(
    engine: RawEngine, answer: bytes, reason: str
) -> None:
    """One broken answer costs its connection, not the round."""

    async def once_broken(peer: Peer) -> None:
        if peer.number == 1:
            await peer.request()
            await peer.send(answer)
        else:
            await always(OK)(peer)

    with serving(once_broken) as seen:
        result = load_once(engine, seen.port, count=5)

    assert result.failures == {reason: 1}
    assert result.completed == 4
    assert seen.connections == 2


def test_a_reset_is_told_from_a_close(engine: RawEngine) -> None:
    """A worker that was killed resets; the reason helps to find it."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.reset()
        await asyncio.sleep(0.01)

    with serving(script) as seen:
        result = load_once(engine, seen.port, count=2)

    assert result.completed == 0
    assert result.failed == 2
    assert set(result.failures) <= {"connection reset", "connection closed before the answer"}


def test_an_answer_that_ends_its_connection_costs_a_new_one_each(engine: RawEngine) -> None:
    """Gunicorn's sync worker closes after each answer; that is no failure."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")

    with serving(script) as seen:
        result = load_once(engine, seen.port, count=5)

    assert (result.completed, result.failed) == (5, 0)
    assert seen.connections == 5


def test_a_kept_alive_connection_that_was_closed_meanwhile_is_no_failure(
    engine: RawEngine,
) -> None:
    """Servers close idle connections; a safe request is sent again, once, and that is noted."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.request()

    with serving(script) as seen:
        result = load_once(engine, seen.port, count=3)

    assert (result.completed, result.failed) == (3, 0)
    assert len(seen.requests) == 5
    assert any("2 requests were sent again" in note for note in result.notes)


def test_a_post_is_never_sent_twice(engine: RawEngine) -> None:
    """It may have been carried out."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.request()

    post = RequestSpec(name="pay", url="/", method="POST", body=b"1")
    with serving(script) as seen:
        result = load_once(engine, seen.port, post, count=2)

    assert result.failures == {"connection closed before the answer": 1}
    assert len(seen.requests) == 2


def test_a_server_that_never_answers_is_counted_as_timed_out(engine: RawEngine) -> None:
    """The load ends all the same, in bounded time."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.request()

    with serving(script) as seen:
        result = engine.run(
            Load(port=seen.port, requests=(PAGE,), connections=3, seconds=0.1, timeout_s=0.3)
        )[0]

    assert result.failures == {"timed out": 3}
    assert result.completed == 0


def test_nobody_listening_is_counted_and_not_tried_in_a_busy_loop(engine: RawEngine) -> None:
    """A server that died must not make the client burn the core it shares."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        closed = engine.run(Load(port=port, requests=(PAGE,), connections=4, seconds=0.5))[0]
        constant = load_once(engine, port, count=20)

    assert set(closed.failures) == {"connection refused"}
    assert 4 <= closed.failed <= 4 * 6
    assert constant.failures == {"connection refused": 20}


def test_the_events_of_a_stream_keep_their_gaps(engine: RawEngine) -> None:
    """The first byte says nothing about a stream whose later events come together."""
    stream = RequestSpec(name="ticks", url="/", kind=Kind.STREAM)

    async def steady(peer: Peer) -> None:
        await peer.request()
        await peer.send(SSE_HEAD, gap_s=0.01)
        await peer.send(*[b"data: x\n\n"] * 5, gap_s=0.03)

    async def buffered(peer: Peer) -> None:
        await peer.request()
        await peer.send(SSE_HEAD, gap_s=0.15)
        await peer.send(b"data: x\n\n" * 5)

    with serving(steady) as one, serving(buffered) as other:
        flowing = load_once(engine, one.port, stream)
        held = load_once(engine, other.port, stream)

    assert (flowing.gap_ms.size, held.gap_ms.size) == (4, 4)
    assert np.median(flowing.gap_ms) >= 28
    assert held.gap_ms.max() < 5
    assert held.first_byte_ms[0] > flowing.first_byte_ms[0] + 80


def test_without_event_stream_each_chunk_is_an_event(engine: RawEngine) -> None:
    """A streamed page has no events by name; its chunks are what the reader sees come."""
    head, *chunks = CHUNKS.replace(b"5\r\nhello\r\n", b"|2\r\nhi\r\n" * 3 + b"|").split(b"|")
    stream = RequestSpec(name="page", url="/", kind=Kind.STREAM)

    with serving(always(head, *chunks, gap_s=0.02)) as seen:
        result = load_once(engine, seen.port, stream)

    assert result.gap_ms.size == 2
    assert result.gap_ms.min() > 10


def test_a_timed_out_arrival_counts_even_if_it_was_never_sent(engine: RawEngine) -> None:
    """Waiting for a free connection is waiting."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.request()

    with serving(script) as seen:
        (result,) = engine.run(open_load(seen.port, count=5, timeout_s=0.2))

    assert result.failures == {"timed out": 5}
