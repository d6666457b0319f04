"""Ways: how a cause is reached, and what stands in between."""

from __future__ import annotations

import pytest

from freeloop.model.finding import Guard
from freeloop.source.code.graph import Graph
from tests.source.code.conftest import Write

URLS = """
from django.urls import path
from views import first, second
urlpatterns = [path("first/", first), path("second/", second)]
"""
HELPERS = """
import time
def near():
    wait()
def far():
    near()
def wait():
    time.sleep(1)
"""


def guard_in(graph: Graph) -> Guard:
    """Return what stands before the only cause."""
    [(site, _)] = graph.loop_causes
    way = graph.way_to(site.func)
    return max(way.guard, site.guard, key=list(Guard).index)


def test_the_shortest_way_is_told_and_the_other_entry_points_counted(write: Write) -> None:
    """One cause is one finding, however many views reach it."""
    graph = write(
        urls=URLS,
        helpers=HELPERS,
        views="from helpers import *\n"
        "async def first(request): far()\n"
        "async def second(request): near()\n",
    )

    [(site, cause)] = graph.loop_causes
    way = graph.way_to(site.func)

    assert cause.subject == "time.sleep"
    assert [call.site.text for call in way.calls] == ["near", "wait"]
    assert way.entry is not None
    assert way.entry.words == "async view second, second/"
    assert [other.words for other in way.others] == ["async view first, first/"]


def test_a_longer_way_that_is_always_taken_comes_before_a_short_rare_one(write: Write) -> None:
    """What a request really meets is worth more than what one may meet."""
    graph = write(
        urls=URLS,
        helpers=HELPERS,
        views="from helpers import *\n"
        "async def first(request): far()\n"
        "async def second(request):\n    try: pass\n    except ValueError: wait()\n",
    )

    [(site, _)] = graph.loop_causes
    way = graph.way_to(site.func)

    assert way.entry is not None
    assert way.entry.func.name == "first"
    assert way.guard is Guard.NONE


def test_functions_that_call_each_other_end(write: Write) -> None:
    """Recursion is ordinary code."""
    graph = write(
        urls=URLS,
        views="""
import time
async def first(request): even(4)
async def second(request): pass
def even(n): return n == 0 or odd(n - 1)
def odd(n):
    time.sleep(1)
    return n != 0 and even(n - 1)
""",
    )

    [(site, _)] = graph.loop_causes

    assert [call.site.text for call in graph.way_to(site.func).calls] == ["even", "odd"]


@pytest.mark.parametrize(
    ("code", "guard"),
    [
        ("time.sleep(1)", Guard.NONE),
        ("if request.GET:\n        time.sleep(1)", Guard.BRANCH),
        ("x = request.GET and time.sleep(1)", Guard.BRANCH),
        ("x = 1 if request.GET else time.sleep(1)", Guard.BRANCH),
        ("for x in request.GET:\n        time.sleep(1)", Guard.NONE),
        ("try:\n        time.sleep(1)\n    except ValueError:\n        pass", Guard.NONE),
        ("try:\n        pass\n    except ValueError:\n        time.sleep(1)", Guard.RARE),
        ("try:\n        pass\n    except KeyError:\n        time.sleep(1)", Guard.BRANCH),
        ("if settings.SLOW:\n        time.sleep(1)", Guard.SETTING),
        ("if os.environ.get('SLOW'):\n        time.sleep(1)", Guard.SETTING),
        ("if not settings.SLOW:\n        return\n    time.sleep(1)", Guard.SETTING),
        ("if SLOW:\n        time.sleep(1)", Guard.SETTING),
        ("if not kept:\n        kept.append(time.sleep(1))", Guard.CACHE),
        ("if 'x' not in kept:\n        kept['x'] = time.sleep(1)", Guard.CACHE),
        (
            "found = kept.get('x')\n    if found is None:\n        found = time.sleep(1)",
            Guard.CACHE,
        ),
        (
            "found = kept.get('x')\n    if found is not None: return found\n    time.sleep(1)",
            Guard.CACHE,
        ),
        ("once()", Guard.CACHE),
        ("raise ValueError(time.sleep(1))", Guard.RARE),
    ],
)
def test_a_guard_is_told_from_what_stands_around_the_call(
    write: Write, code: str, guard: Guard
) -> None:
    """The default view shows what a request meets, and counts the rest."""
    graph = write(
        urls="from django.urls import path\nfrom views import first\n"
        "urlpatterns = [path('first/', first)]",
        views="import os, time\nfrom functools import cache\nfrom django.conf import settings\n"
        "from shop.settings import SLOW\n"
        "kept = {}\n"
        + ("@cache\ndef once():\n    time.sleep(1)\n" if "once" in code else "")
        + f"async def first(request):\n    {code}\n",
    )

    assert guard_in(graph) is guard
