"""Every view of the café, recorded: same bytes, true counts, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.examples.cafe import routes
from tests.record.conftest import Found

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]

# Their answer tells how much was done in a given time: recording must change that.
TELL_THEIR_SPEED = ("/cpu/sync/", "/cpu/async/", "/cpu/thread/async/", "/cpu/processes/")
# Given to processes by the loop itself: asgiref counts no such hop.
PROCESSES = "/cpu/processes/async/"
INTERFACES = ("asgi", "wsgi")


@pytest.fixture(scope="module")
def asked(both_ways: Callable[[str, list[str]], Found]) -> dict[str, Found]:
    """All paths of the café by each interface, without and with recording, side by side."""
    paths = [f"{route['path']}?ms=5" for route in routes() if "<" not in route["path"]]
    assert len(paths) > 60
    with ThreadPoolExecutor(len(INTERFACES)) as pool:
        return dict(
            zip(INTERFACES, pool.map(lambda each: both_ways(each, paths), INTERFACES), strict=True)
        )


@pytest.fixture(scope="module", params=INTERFACES)
def found(request: pytest.FixtureRequest, asked: dict[str, Found]) -> Found:
    return asked[request.param]


def test_a_recorded_request_answers_the_same_bytes(found: Found) -> None:
    """Status, headers and body: who records must not be noticed."""
    different = {
        path: (each["plain"], each["recorded"])
        for path, each in found.items()
        if not each["same"] and not path.startswith(TELL_THEIR_SPEED)
    }

    assert different == {}


def test_hops_backs_queries_and_threads_are_those_counted_elsewhere(found: Found) -> None:
    """The recorder sees the loop; the count patches asgiref, Django's cursor and threading."""
    wrong = {
        (path, kind): (number, each["marked"].get(kind, 0))
        for path, each in found.items()
        for kind, number in each["counted"].items()
        if each["marked"].get(kind, 0) != number and not path.startswith(PROCESSES)
    }

    assert wrong == {}
    assert sum(each["counted"]["query"] for each in found.values()) > 30


def test_nothing_stays_patched_and_no_tool_id_is_kept(found: Found) -> None:
    """Each attribute is the same object as before, and so is the event loop policy."""
    assert {path: each["left"] for path, each in found.items() if each["left"]} == {}
    assert {tuple(each["tools"]) for each in found.values()} == {(None,) * 6}


def test_every_probe_fits_and_the_recorder_makes_no_fault(found: Found) -> None:
    """A blind spot or a fault inside the recorder would be named here; loops cut short are none."""
    off = {
        (path, name): why
        for path, each in found.items()
        for name, why in each["probes_off"].items()
        if name != "lines"
    }

    assert off == {}
    assert {path for path, each in found.items() if each["dropped"]} == set()


def test_each_trace_comes_back_from_its_json_unchanged(found: Found) -> None:
    """A file is the trace, whatever the view did."""
    assert all(each["round_trip"] for each in found.values())


def test_the_view_is_marked_once_where_one_was_called(found: Found) -> None:
    """Behind decorators, classes, REST framework and ninja alike."""
    views = {path: each["marked"].get("view", 0) for path, each in found.items()}

    assert {path: count for path, count in views.items() if count > 1} == {}
    assert views["/wait/async/?ms=5"] == views["/class/async/?ms=5"] == 1
