"""Every page of the café answers, on a server of either kind."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.examples.cafe import Site, routes

SOUP = "Soup is ready."
DELIVERY = '"waited_ms": 10'
DISH = "spicy beetroot salad"
FIRST = "plain lentil soup"
CAKE = "data: cake"

# Path -> what the answer contains. Waits are shortened where the path allows it.
READ = {
    "/health/": "open",
    "/hello/sync/": "Welcome to the café!",
    "/hello/async/": "Welcome to the café!",
    "/slow/sync/": "Done waiting!",
    "/slow/async/": "Done waiting!",
    "/wait/sync/?ms=10": SOUP,
    "/wait/async/?ms=10": SOUP,
    "/wait/to-thread/async/?ms=10": SOUP,
    "/wait/adapter/async/?ms=10": SOUP,
    "/wait-then-cpu/sync/?ms=10": "Stew is ready.",
    "/wait-then-cpu/async/?ms=10": "Stew is ready.",
    "/call/sync/?ms=10": DELIVERY,
    "/call/async/?ms=10": DELIVERY,
    "/call/httpx/sync/?ms=10": DELIVERY,
    "/call/httpx/async/?ms=10": DELIVERY,
    "/call/new-client/sync/?ms=10": DELIVERY,
    "/call/new-client/async/?ms=10": DELIVERY,
    "/four/sync/?ms=10": DELIVERY,
    "/four/async/?ms=10": DELIVERY,
    "/four/gathered/async/?ms=10": DELIVERY,
    "/four/gathered-httpx/async/?ms=10": DELIVERY,
    "/four/threads/sync/?ms=10": DELIVERY,
    "/query/sync/": DISH,
    "/query/async/": DISH,
    "/query/adapter/async/": DISH,
    "/slow-query/sync/?ms=10": DISH,
    "/slow-query/async/?ms=10": DISH,
    "/slow-query/adapter/async/?ms=10": DISH,
    "/ten-queries/sync/": FIRST,
    "/ten-queries/async/": FIRST,
    "/ten-queries/adapter/async/": FIRST,
    "/three-slow-queries/sync/?ms=10": FIRST,
    "/three-slow-queries/async/?ms=10": FIRST,
    "/three-slow-queries/gathered/async/?ms=10": FIRST,
    "/cpu/sync/?ms=5": "carrots",
    "/cpu/async/?ms=5": "carrots",
    "/cpu/thread/async/?ms=5": "carrots",
    "/cpu/processes/sync/?ms=5": "carrots",
    "/cpu/processes/async/?ms=5": "carrots",
    "/template/sync/": "Grandmother&#x27;s pear sorbet",
    "/template/async/": "Grandmother&#x27;s pear sorbet",
    "/export/sync/": '"price": "3.65"',
    "/export/async/": '"price": "3.65"',
    "/password/sync/": '"guest": true',
    "/password/async/": '"guest": true',
    "/password/thread/async/": '"guest": true',
    "/cache/sync/": "soup of the day",
    "/cache/async/": "soup of the day",
    "/bake/cake/sync/?ms=10": "Cake is ready.",
    "/bake/cake/async/?ms=10": "Cake is ready.",
    "/bake/bread/sync/?ms=10": "Bread is ready.",
    "/bake/bread/async/?ms=10": "Bread is ready.",
    "/hidden/async/?ms=10": '"cents": 430',
    "/hidden/mended/async/?ms=10": '"cents": 430',
    "/poll/sync/?ms=10": '"ring": null',
    "/poll/async/?ms=10": '"ring": null',
    "/stream/sync/": CAKE,
    "/stream/async/": CAKE,
    "/class/sync/?ms=10": "Served with class.",
    "/class/async/?ms=10": "Served with class.",
    "/rest/sync/?ms=10": FIRST,
    "/ninja/sync/?ms=10": FIRST,
    "/ninja/async/?ms=10": FIRST,
    "/counter/": '"mended"',
}
WRITE = {
    "/cpu/task/sync/": "ticket",
    "/cpu/task/async/": "ticket",
    "/upload/sync/": "sha256",
    "/upload/async/": "sha256",
    "/poll/ring/": "ring",
    "/counter/lost/async/": "served",
    "/counter/mended/async/": "served",
}
NEED_POSTGRES = ("/query/driver/async/", "/slow-query/driver/async/")
TICKET = "/cpu/task/<uuid:number>/"


@pytest.mark.real
@pytest.mark.parametrize("path", READ)
def test_a_page_answers_under_asgi_and_wsgi(site: Site, path: str) -> None:
    """A twin that only works on one kind of server could not be compared."""
    answer = site.get(path)

    assert answer.status_code == 200
    assert READ[path] in answer.text


@pytest.mark.real
@pytest.mark.parametrize("path", WRITE)
def test_a_page_that_writes_takes_post_only(site: Site, path: str) -> None:
    """Load tools send GET freely, so nothing may change by it."""
    answer = site.post(path, content=b"soup")

    assert answer.status_code == 200
    assert WRITE[path] in answer.text
    assert site.get(path).status_code == 405


def test_every_route_is_asked_here() -> None:
    """A new page without a row in the tables above would never be run."""
    asked = {path.partition("?")[0] for path in (*READ, *WRITE, *NEED_POSTGRES, TICKET)}

    assert {route["path"] for route in routes()} == asked


def test_a_name_ends_with_what_its_view_is() -> None:
    """Plans and lessons trust the names: `-async` is a coroutine function, `-sync` is none."""
    told = {route["name"]: route["async"] for route in routes()}

    wrong = [name for name, is_async in told.items() if is_async != name.endswith("async")]

    assert not wrong


@pytest.mark.real
@pytest.mark.parametrize("path", NEED_POSTGRES)
def test_the_driver_says_that_it_needs_postgresql(site: Site, path: str) -> None:
    """On SQLite there is nothing to measure, and a plain answer is better than a crash."""
    answer = site.get(path)

    assert answer.status_code == 501
    assert "CAFE_DATABASE_URL" in answer.text


@pytest.mark.real
@pytest.mark.parametrize("ms", ["-1", "5001", "soup", "1e3", ""])
def test_a_wait_beyond_the_limits_is_refused(site: Site, ms: str) -> None:
    """Nobody may hold a thread of the sample for an hour."""
    assert site.get(f"/wait/sync/?ms={ms}").status_code == 400


@pytest.mark.real
@pytest.mark.parametrize("path", ["/upload/sync/", "/upload/async/"])
@pytest.mark.parametrize("bytes_sent", [10, 3_000_000])
def test_an_upload_arrives_whole(site: Site, path: str, bytes_sent: int) -> None:
    """Small files stay in memory and large ones go through a temporary file."""
    picture = b"\x89soup" * (bytes_sent // 5)

    receipt = site.post(path, files={"dish": ("dish.png", picture)}).json()

    assert receipt == {"bytes": len(picture), "sha256": sha256(picture).hexdigest()}


@pytest.mark.real
def test_ten_queries_are_the_same_ten_dishes_every_way(site: Site) -> None:
    """Twins have to do the same work, or their comparison means nothing."""
    ways = ("sync", "async", "adapter/async")

    answers = [site.get(f"/ten-queries/{way}/").json()["dishes"] for way in ways]

    assert len(answers[0]) == 10
    assert answers[0] == answers[1] == answers[2]
