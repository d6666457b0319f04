"""Abstract methods, callbacks and consumers: ways that no direct call shows."""

from __future__ import annotations

from freeloop.model.finding import Guard
from freeloop.source.code.graph import Graph
from tests.source.code.conftest import Write

URLS = """
from django.urls import path
from views import view
urlpatterns = [path("view/", view)]
"""
STORES = """
import abc, time
class Store(abc.ABC):
    @abc.abstractmethod
    def keep(self): ...
    def keep_twice(self):
        self.keep()
class Slow(Store):
    def keep(self):
        time.sleep(1)
"""
OTHER = """
class Quick(Store):
    def keep(self):
        return 1
"""
VIEWS = """
from stores import Store
class Shelf:
    def __init__(self):
        self.store: Store = None
async def view(request):
    Shelf().store.keep_twice()
"""


def ways(graph: Graph) -> list[tuple[list[str], Guard, bool]]:
    """Return of each cause the calls to it, what stands before it, and whether a view has it."""
    found = [(site, graph.way_to_site(site)) for site, _ in graph.loop_causes]
    return [
        ([*(call.site.text for call in way.calls), site.text], way.guard, way.entry is not None)
        for site, way in found
    ]


def test_an_abstract_method_runs_what_a_derived_class_puts_in_its_place(write: Write) -> None:
    """With one class there is no doubt which; with two it is one of them."""
    chain = ["Shelf().store.keep_twice", "self.keep", "time.sleep"]

    assert ways(write(urls=URLS, stores=STORES, views=VIEWS)) == [(chain, Guard.NONE, True)]

    assert ways(write(urls=URLS, stores=STORES + OTHER, views=VIEWS)) == [
        (chain, Guard.BRANCH, True)
    ]


def test_a_derived_class_is_found_through_other_modules_and_names(write: Write) -> None:
    """The last of three knows the abstract class neither by its name nor by its module."""
    stores = STORES.partition("class Slow")[0]
    middle = "from stores import Store as Base\nclass Middle(Base): ...\n"
    last = (
        "import time\nimport middle\n"
        "class Slow(middle.Middle):\n    def keep(self):\n        time.sleep(1)\n"
    )

    [(calls, guard, _)] = ways(
        write(urls=URLS, stores=stores, views=VIEWS, middle=middle, last=last)
    )

    assert calls == ["Shelf().store.keep_twice", "self.keep", "time.sleep"]
    assert guard == Guard.NONE


def test_a_method_that_only_refuses_is_abstract(write: Write) -> None:
    """Without a decorator it says so by its body."""
    stores = STORES.replace("@abc.abstractmethod\n    ", "").replace(
        "def keep(self): ...",
        'def keep(self):\n        """Keep."""\n        raise NotImplementedError',
    )

    [(_, guard, rooted)] = ways(write(urls=URLS, stores=stores, views=VIEWS))

    assert (guard, rooted) == (Guard.NONE, True)


def test_what_is_not_abstract_runs_itself(write: Write) -> None:
    """A derived class may be used elsewhere only."""
    stores = STORES.replace("@abc.abstractmethod\n    ", "")

    assert ways(write(urls=URLS, stores=stores, views=VIEWS)) == []


def test_super_runs_the_abstract_method_itself(write: Write) -> None:
    """It is the way back to what a base does for all."""
    views = """
from stores import Slow, Store
class Quick(Store):
    def keep(self):
        super().keep()
async def view(request):
    Quick().keep()
"""

    assert ways(write(urls=URLS, stores=STORES, views=views)) == []


def test_a_stand_in_of_the_tests_is_not_met(write: Write) -> None:
    """What tests put in the place of an abstract method runs in tests."""
    stores, slow = STORES.split("class Slow")
    tests = f"import time\nfrom stores import Store\nclass Slow{slow}"

    assert ways(write(urls=URLS, stores=stores, test_stores=tests, views=VIEWS)) == []


def test_an_async_function_that_is_handed_over_is_called_back(write: Write) -> None:
    """A library calls it on the loop that made it; what another loop is given runs there."""
    views = """
import time
from library import Agent
from asgiref.sync import async_to_sync
async def view(request):
    async def tool(text):
        time.sleep(1)
    async def elsewhere(text):
        time.sleep(2)
    async_to_sync(elsewhere)
    return await Agent(tools={"tool": 1}).add(tool)
"""

    found = ways(write(urls=URLS, views=views))

    assert [(guard, rooted) for _, guard, rooted in found] == [
        (Guard.BRANCH, True),
        (Guard.NONE, False),
    ]


def test_what_a_consumer_keeps_each_connection_has_anew(write: Write) -> None:
    """A module keeps its things for all of them."""
    views = """
import time
from channels.generic.websocket import AsyncWebsocketConsumer
kept = None
class Talk(AsyncWebsocketConsumer):
    agent = None
    async def receive(self, text_data):
        global kept
        if self.agent is None:
            self.agent = time.sleep(1)
        if kept is None:
            kept = time.sleep(2)
"""

    found = ways(write(views=views))

    assert [guard for _, guard, _ in found] == [Guard.BRANCH, Guard.CACHE]


def test_what_async_for_asks_is_no_sync_call(write: Write) -> None:
    """An attribute may be annotated with the sync client and hold the async one."""
    views = """
from redis import Redis
class Service:
    def __init__(self):
        self.redis: Redis = None
async def view(request):
    found = [key async for key in Service().redis.scan_iter()]
    async for key in Service().redis.scan_iter():
        found.append(key)
    for key in Service().redis.scan_iter():
        found.append(key)
"""

    assert len(ways(write(urls=URLS, views=views))) == 1
