"""What the café is there to show, seen on running servers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.sync.client import connect

from tests.examples.cafe import Site, at_once, event_times, until

pytestmark = [pytest.mark.real, pytest.mark.alone]


def test_a_hidden_blocking_call_serves_one_guest_at_a_time(asgi: Site) -> None:
    """The wait is two modules away from the async view and still holds its loop."""
    asgi.get("/hidden/async/?ms=0")

    _, blocked_s = at_once(6, lambda: asgi.get("/hidden/async/?ms=200"))
    _, mended_s = at_once(6, lambda: asgi.get("/hidden/mended/async/?ms=200"))

    assert blocked_s >= 6 * 0.2
    assert mended_s < blocked_s / 2


def test_gathered_calls_overlap_inside_one_request_on_either_server(site: Site) -> None:
    """Gathering needs an event loop, not an ASGI server."""
    paths = ("/four/async/", "/four/gathered/async/", "/four/threads/sync/")
    for path in paths:
        site.get(f"{path}?ms=0")

    sequence_s, gathered_s, threads_s = (
        at_once(1, lambda path=path: site.get(f"{path}?ms=200"))[1]  # type: ignore[misc]
        for path in paths
    )

    assert sequence_s >= 4 * 0.2
    assert gathered_s < sequence_s / 2
    assert threads_s < sequence_s / 2


def test_gathered_queries_do_not_overlap_inside_one_request(site: Site) -> None:
    """The ORM's async methods share the request's one thread."""
    _, gathered_s = at_once(1, lambda: site.get("/three-slow-queries/gathered/async/?ms=200"))

    assert gathered_s >= 3 * 0.2


def test_slow_queries_of_different_requests_overlap(site: Site) -> None:
    """The sleeping function of SQLite must not be one queue for everybody."""
    _, together_s = at_once(6, lambda: site.get("/slow-query/sync/?ms=300"))

    assert together_s < 6 * 0.3 / 2


def test_a_generator_of_the_other_kind_is_buffered(site: Site, asgi: Site) -> None:
    """ASGI collects a sync generator to its end, and WSGI an async one."""
    live, buffered = ("async", "sync") if site is asgi else ("sync", "async")

    live_s = event_times(site, f"/stream/{live}/?ms=600")
    buffered_s = event_times(site, f"/stream/{buffered}/?ms=600")

    assert len(live_s) == len(buffered_s) == 5
    assert live_s[-1] > 0.3
    assert buffered_s[-1] < live_s[-1] / 3


def test_a_counter_with_an_await_between_read_and_write_loses_guests(asgi: Site) -> None:
    """Everybody who reads during the same await writes the same number."""
    before = asgi.get("/counter/").json()

    at_once(20, lambda: asgi.post("/counter/lost/async/"))
    at_once(20, lambda: asgi.post("/counter/mended/async/"))

    after = asgi.get("/counter/").json()
    assert after["lost"] - before["lost"] < 20
    assert after["mended"] - before["mended"] == 20


def test_the_mended_counter_is_right_on_many_event_loops_too(wsgi: Site) -> None:
    """Under WSGI every async view has a loop and a thread of its own."""
    before = wsgi.get("/counter/").json()["mended"]

    at_once(20, lambda: wsgi.post("/counter/mended/async/"))

    assert wsgi.get("/counter/").json()["mended"] - before == 20


@pytest.mark.parametrize("way", ["sync", "async"])
def test_the_bell_wakes_a_long_poll_before_its_time(site: Site, way: str) -> None:
    """A poll that only ever times out would not be a poll."""
    with ThreadPoolExecutor(1) as pool:
        guest = pool.submit(site.get, f"/poll/{way}/?ms=5000")

        def rung() -> bool:
            site.post("/poll/ring/")
            return guest.done()

        until(rung)

    assert guest.result().json()["ring"] is not None


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_handed_over_job_is_done_by_the_worker(asgi: Site, way: str) -> None:
    """The framework alone would never run it: a worker process has to."""
    number = asgi.post(f"/cpu/task/{way}/?ms=5").json()["ticket"]

    until(lambda: asgi.get(f"/cpu/task/{number}/").json()["status"] == "SUCCESSFUL")

    assert asgi.get(f"/cpu/task/{number}/").json()["carrots"] > 0


def test_an_unknown_ticket_is_not_found(site: Site) -> None:
    """A wrong number is the guest's mistake, not the server's."""
    assert site.get("/cpu/task/00000000-0000-4000-8000-000000000000/").status_code == 404


def test_a_socket_echoes_in_order(asgi: Site) -> None:
    """One consumer answers one message after the other."""
    words = ["soup", "bread", "käse"]

    with connect(asgi.url("/ws/echo/?ms=5", "ws")) as socket:
        for word in words:
            socket.send(word)
        heard = [socket.recv(timeout=10) for _ in words]

    assert heard == words


def test_sockets_wait_together(asgi: Site) -> None:
    """Waiting sockets share the loop: twenty take little longer than one."""

    def echo() -> str | bytes:
        with connect(asgi.url("/ws/echo/?ms=300", "ws")) as socket:
            socket.send("soup")
            return socket.recv(timeout=30)

    heard, together_s = at_once(20, echo)

    assert heard == ["soup"] * 20
    assert together_s < 20 * 0.3 / 2
