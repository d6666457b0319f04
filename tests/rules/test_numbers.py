"""The numbers of rule pages that a run of a few lines gives: each is counted again here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_proofs import START, run

# Three requests each, to the view with the fault and to its mended twin.
ASKED = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
async def ask(path):
    return (await AsyncClient(raise_request_exception=False).get(path)).status_code
print(json.dumps([[asyncio.run(ask(path)) for _ in range(3)] for path in ["/bad/", "/good/"]]))
"""
IMPORTS = """
import asyncio
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.urls import path

async def load():
    return HttpResponse()

def count():
    return HttpResponse(User.objects.count())
"""
URLS = "\nurlpatterns = [path('bad/', bad), path('good/', good)]\n"
VIEWS = {
    "FL111": """
async def bad(request):
    return count()
async def good(request):
    return HttpResponse(await User.objects.acount())
""",
    "FL201": """
async def bad(request):
    return async_to_sync(load)()
async def good(request):
    return await load()
""",
    "FL202": """
async def bad(request):
    return await sync_to_async(load)()
async def good(request):
    return await sync_to_async(count)()
""",
    "FL301": """
async def bad(request):
    with transaction.atomic():
        return await load()
async def good(request):
    return await sync_to_async(transaction.atomic(count))()
""",
    "FL404": """
from rest_framework.views import APIView
class Bad(APIView):
    async def get(self, request):
        return await load()
class Good(APIView):
    authentication_classes = permission_classes = ()
    def get(self, request):
        return async_to_sync(load)()
bad, good = Bad.as_view(), Good.as_view()
""",
    "FL502": """
async def bad(request):
    answer = load()
    return HttpResponse(answer.content)
async def good(request):
    answer = await load()
    return HttpResponse(answer.content)
""",
}


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rule, marks=pytest.mark.needs("djangorestframework"))
        if rule == "FL404"
        else rule
        for rule in VIEWS
    ],
)
def test_each_request_fails_and_none_once_it_is_mended(tmp_path: Path, rule: str) -> None:
    """3 of 3, as the pages say, on the event loop of Django's own ASGI handler."""
    (tmp_path / "urls.py").write_text(IMPORTS + VIEWS[rule] + URLS)

    bad, good = run(tmp_path, START + ASKED)

    assert bad == [500] * 3
    assert good == [200] * 3


def counted(at: Path, body: str) -> Any:
    """Return what a script prints that has Django, its accounts and their tables."""
    setup = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
"""
    (at / "urls.py").write_text("urlpatterns = []\n")
    return run(at, START + setup + body)


def test_of_ten_rows_that_nobody_awaits_none_is_saved(tmp_path: Path) -> None:
    """FL501: with the await all ten are."""
    found = counted(
        tmp_path,
        """
import warnings
warnings.simplefilter("ignore")
async def saved(wait):
    for number in range(10):
        row = User(username=f"{wait} {number}").asave()
        if wait:
            await row
        else:
            del row
    return await User.objects.acount()
print(json.dumps([asyncio.run(saved(False)), asyncio.run(saved(True))]))
""",
    )

    assert found == [0, 10]


def test_a_thread_local_is_that_of_the_last_request(tmp_path: Path) -> None:
    """FL204: of twenty requests at once one reads its own value; of a context variable, all."""
    found = counted(
        tmp_path,
        """
import contextvars, threading
local, context = threading.local(), contextvars.ContextVar("tenant")
async def own(number):
    local.tenant = number
    context.set(number)
    await asyncio.sleep(0.01)
    return local.tenant == number, context.get() == number
async def ask():
    return await asyncio.gather(*(own(number) for number in range(20)))
answers = asyncio.run(ask())
print(json.dumps([sum(each) for each in zip(*answers)]))
""",
    )

    assert found == [1, 20]


def test_a_thread_of_a_pool_keeps_the_connection_of_its_query(tmp_path: Path) -> None:
    """FL203: four queries at once leave four open; in the request's own thread none is left."""
    found = counted(
        tmp_path,
        """
import threading
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core import signals
from django.db import close_old_connections, connection
together, opened = threading.Barrier(4), []
def query(wait):
    User.objects.count()
    opened.append(connection.connection)
    if wait:
        together.wait(10)
def is_open(made):
    try:
        made.total_changes
    except Exception:
        return False
    return True
async def left(request):
    opened.clear()
    await asyncio.gather(*(request() for _ in range(4)))
    return sum(map(is_open, opened))
async def in_pool():
    await asyncio.to_thread(query, True)
    await sync_to_async(close_old_connections)()
async def in_own():
    async with ThreadSensitiveContext():
        await sync_to_async(query)(False)
        await sync_to_async(close_old_connections)()
async def main():
    return [await left(in_pool), await left(in_own)]
print(json.dumps(asyncio.run(main())))
""",
    )

    assert found == [4, 0]


def test_two_tasks_and_a_lock_across_an_await_stand_still(tmp_path: Path) -> None:
    """FL104: none of two ends within a second; with an asyncio.Lock both do."""
    found = counted(
        tmp_path,
        """
import threading
def ended(make):
    done = []
    async def task(lock):
        if isinstance(lock, asyncio.Lock):
            async with lock:
                await asyncio.sleep(0.01)
        else:
            with lock:
                await asyncio.sleep(0.01)
        done.append(1)
    async def both():
        lock = make()
        await asyncio.gather(task(lock), task(lock))
    loop = threading.Thread(target=lambda: asyncio.run(both()), daemon=True)
    loop.start()
    loop.join(1)
    return len(done)
answers = [ended(threading.Lock), ended(asyncio.Lock)]
print(json.dumps(answers), flush=True)
os._exit(0)
""",
    )

    assert found == [0, 2]


def test_the_loop_stands_still_while_a_file_is_read(tmp_path: Path) -> None:
    """FL102: fifty megabytes from the page cache, on the loop and in a thread."""
    found = counted(
        tmp_path,
        """
from pathlib import Path
big = Path("big")
big.write_bytes(bytes(50_000_000))
async def turns(read):
    taken = 0
    async def others():
        nonlocal taken
        while True:
            taken += 1
            await asyncio.sleep(0)
    task = asyncio.create_task(others())
    await asyncio.sleep(0)
    before = taken
    await read()
    task.cancel()
    return taken - before
async def on_loop():
    big.read_bytes()
async def in_thread():
    await asyncio.to_thread(big.read_bytes)
print(json.dumps([asyncio.run(turns(on_loop)), asyncio.run(turns(in_thread))]))
""",
    )

    assert found[0] == 0
    assert found[1] > 100


def test_tasks_that_nobody_keeps_are_collected_undone(tmp_path: Path) -> None:
    """FL503: ten that wait for what they alone hold; kept in a set, all end."""
    found = counted(
        tmp_path,
        """
import gc, logging, weakref
logging.disable()
async def ended(keep):
    events, done, tasks = weakref.WeakSet(), [], set()
    async def receipt():
        event = asyncio.Event()
        events.add(event)
        await event.wait()
        done.append(1)
    for _ in range(10):
        task = asyncio.create_task(receipt())
        if keep:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        del task
    await asyncio.sleep(0.01)
    gc.collect()
    for event in list(events):
        event.set()
    await asyncio.sleep(0.01)
    return len(done)
print(json.dumps([asyncio.run(ended(False)), asyncio.run(ended(True))]))
""",
    )

    assert found == [0, 10]
