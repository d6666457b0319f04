"""What the pages of rules claim happens, happens: the cases are run, not only read."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.rules.cases import CASES

START = """
import asyncio, json, os, sys
import django
from django.conf import settings
here = os.path.dirname(os.path.abspath(__file__))
settings.configure(
    ROOT_URLCONF="urls", ALLOWED_HOSTS=["*"], USE_TZ=True, SECRET_KEY="of a test",
    DATABASES={"default": {
        "ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(here, "rows.sqlite3")}},
    INSTALLED_APPS=[
        "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [here],
        "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth"]}}],
    MIDDLEWARE=json.loads(sys.argv[1]), LOGGING_CONFIG=None)
django.setup()
from django.core.handlers.asgi import ASGIHandler
from django.test import AsyncClient, Client

def statuses(paths):
    async def ask(path):
        return (await AsyncClient(raise_request_exception=False).get(path)).status_code
    return {
        "asgi": [asyncio.run(ask(path)) for path in paths],
        "wsgi": [Client(raise_request_exception=False).get(path).status_code for path in paths],
    }
"""
# Answers every request after 300 ms, on connections that are kept.
SUPPLIER = """
import asyncio
answered = []
async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            await asyncio.sleep(0.3)
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def start():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
"""


def run(
    at: Path, script: str, *, case: Path | None = None, middleware: list[str] | None = None
) -> Any:
    """Return what a script prints as JSON; a case beside it is its URLconf."""
    if case is not None:
        shutil.copy(case, at / "urls.py")
    (at / "supplier.py").write_text(SUPPLIER)
    file = at / "script.py"
    file.write_text(script)
    done = subprocess.run(
        [sys.executable, str(file), json.dumps(middleware or [])],
        cwd=at,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_an_async_view_under_a_sync_decorator_always_fails(tmp_path: Path) -> None:
    """FL405: on both interfaces, and its near misses never."""
    bad = run(
        tmp_path,
        START + 'print(json.dumps(statuses(["/menu/", "/dishes/", "/orders/", "/guests/"])))',
        case=CASES / "FL405_sync_decorator" / "bad.py",
    )
    good = run(
        tmp_path,
        START + 'print(json.dumps(statuses(["/both/", "/outside/", "/kept/", "/sync/"])))',
        case=CASES / "FL405_sync_decorator" / "good.py",
    )

    assert bad == {"asgi": [500] * 4, "wsgi": [500] * 4}
    assert good == {"asgi": [200] * 4, "wsgi": [200] * 4}


def test_a_token_of_another_hop_cannot_be_reset_under_asgi(tmp_path: Path) -> None:
    """FL205: the same middleware works under WSGI, where one thread runs all of it."""
    middleware = ["urls.TenantMiddleware", "urls.PlainMiddleware", "urls.AroundMiddleware"]
    script = START + 'print(json.dumps(statuses(["/a/"] * 3)))'
    folder = CASES / "FL205_context_token"

    bad = run(tmp_path, script, case=folder / "bad.py", middleware=middleware)
    good = run(tmp_path, script, case=folder / "good.py", middleware=middleware)

    assert bad == {"asgi": [500] * 3, "wsgi": [200] * 3}
    assert good == {"asgi": [200] * 3, "wsgi": [200] * 3}


def test_updates_over_an_await_are_lost(tmp_path: Path) -> None:
    """FL505: twenty tasks add one each, and one is left; its near misses keep all twenty."""
    script = """
import asyncio, json, urls
async def count(add):
    tally = urls.Tally()
    await asyncio.gather(*(getattr(tally, add)() for _ in range(20)))
    return tally.served
print(json.dumps([asyncio.run(count(add)) for add in ADDS]))
"""
    folder = CASES / "FL505_lost_update"

    bad = run(tmp_path, script.replace("ADDS", '["add"]'), case=folder / "bad.py")
    good = run(
        tmp_path,
        script.replace("ADDS", '["add", "add_by_name", "add_locked", "read_again"]'),
        case=folder / "good.py",
    )

    assert bad == [1]
    assert good == [20, 20, 20, 20]


def test_reads_in_a_row_wait_for_the_sum(tmp_path: Path) -> None:
    """FL504: three reads in sequence against two together, by the same client."""
    script = """
import asyncio, json, time, httpx, supplier, urls
async def together(request, client):
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(client.get(urls.RATES))

async def timed():
    server, urls.RATES = await supplier.start()
    urls.STOCK = urls.NEWS = urls.RATES
    async with httpx.AsyncClient() as client:
        await together(None, client)
        took = []
        for view in (urls.in_a_row, together):
            started = time.perf_counter()
            await view(None, client)
            took.append(time.perf_counter() - started)
    server.close()
    return took
print(json.dumps(asyncio.run(timed())))
"""

    row, both = run(tmp_path, script, case=CASES / "FL504_sequential_awaits" / "bad.py")

    assert row > 2 * both


def test_every_second_call_of_a_client_of_another_loop_fails(tmp_path: Path) -> None:
    """FL407: the connection that is kept belongs to a loop that is closed."""
    script = """
import asyncio, json, threading, httpx, supplier
found = threading.Event()
async def serve():
    global url
    server, url = await supplier.start()
    found.set()
    await server.serve_forever()
threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
found.wait()
async def ask(client):
    return (await client.get(url)).text
async def ask_anew():
    async with httpx.AsyncClient() as client:
        return await ask(client)
def call(make):
    try:
        return asyncio.run(make())
    except RuntimeError as error:
        return str(error)
client = httpx.AsyncClient()
print(json.dumps([[call(lambda: ask(client)) for _ in range(4)], [call(ask_anew)] * 2]))
"""

    shared, own = run(tmp_path, script)

    assert shared == ["ok", "Event loop is closed"] * 2
    assert own == ["ok", "ok"]


def test_a_waiting_request_holds_the_connection_of_its_query(tmp_path: Path) -> None:
    """FL306: counted as open files of the database while twenty requests wait."""
    script = (
        START
        + """
from contextlib import asynccontextmanager, nullcontext
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.http import HttpResponse
from django.urls import path
call_command("migrate", verbosity=0)
connections.close_all()

@asynccontextmanager
async def released():
    await sync_to_async(connections.close_all)()
    yield

def opened():
    at = settings.DATABASES["default"]["NAME"]
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return sum(os.path.exists(link) and os.readlink(link) == at for link in links)

async def ask(path):
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    first = [{"type": "http.request", "body": b""}]
    async def receive():
        return first.pop() if first else await asyncio.Future()
    async def send(message):
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(message)
    await ASGIHandler()(scope, receive, send)

async def held(around):
    waiting, end = [], asyncio.Event()
    async def view(request):
        await User.objects.acount()
        async with around():
            waiting.append(1)
            await end.wait()
        return HttpResponse("soup")
    urls = type(sys)("urls")
    urls.urlpatterns = [path("", view)]
    sys.modules["urls"] = urls
    django.urls.clear_url_caches()
    asked = [asyncio.create_task(ask("/")) for _ in range(20)]
    while len(waiting) < 20 and not any(task.done() for task in asked):
        await asyncio.sleep(0.01)
    found = opened()
    end.set()
    await asyncio.gather(*asked)
    return found

found = [asyncio.run(held(around)) for around in (nullcontext, released)]
print(json.dumps([*found, opened()]))
"""
    )

    assert run(tmp_path, script) == [20, 0, 0]


def test_a_template_on_the_loop_may_not_query_nor_look_at_user(tmp_path: Path) -> None:
    """FL111, FL112: a foreign key, a queryset and the signed-in user; loaded rows are fine."""
    script = (
        START
        + """
from django.contrib.auth.models import Permission, User
from django.core.exceptions import SynchronousOnlyOperation
from django.core.management import call_command
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
call_command("migrate", verbosity=0)
User.objects.create_user("ada")
PAGES = {
    "key": "{{ lazy.content_type.model }}",
    "rows": "{% for each in all %}{{ each.pk }}{% endfor %}",
    "user": "{% if user.is_authenticated %}welcome{% endif %}",
    "loaded": "{{ loaded.content_type.model }}{{ lazy.pk }}",
}

async def view(request, page):
    first = Permission.objects
    await request.auser()
    return render(request, page, {
        "lazy": await first.afirst(), "all": first.all(),
        "loaded": await first.select_related("content_type").afirst()})

class Urls:
    urlpatterns = [path("<page>/", view)]
sys.modules["urls"] = Urls
for page, text in PAGES.items():
    with open(os.path.join(here, page), "w") as file:
        file.write(text)

async def ask(page):
    client = AsyncClient()
    await client.aforce_login(await User.objects.aget())
    try:
        return (await client.get(f"/{page}/")).status_code
    except SynchronousOnlyOperation:
        return "SynchronousOnlyOperation"

print(json.dumps({page: asyncio.run(ask(page)) for page in PAGES}))
"""
    )

    answers = run(
        tmp_path,
        script,
        middleware=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
    )

    refused = "SynchronousOnlyOperation"
    assert answers == {"key": refused, "rows": refused, "user": refused, "loaded": 200}


def test_every_request_that_queries_connects_anew_without_a_pool(tmp_path: Path) -> None:
    """FL307: counted by Django's own signal, five requests one after another."""
    script = (
        START
        + """
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections
from django.db.backends.signals import connection_created
from django.http import HttpResponse
from django.urls import path
call_command("migrate", verbosity=0)
connections.close_all()
made = []
connection_created.connect(lambda **of: made.append(1), weak=False)

async def view(request):
    await ContentType.objects.acount()
    await ContentType.objects.acount()
    return HttpResponse("soup")

class Urls:
    urlpatterns = [path("", view)]
sys.modules["urls"] = Urls

async def ask():
    first = [{"type": "http.request", "body": b""}]
    async def receive():
        return first.pop() if first else await asyncio.Future()
    async def send(message):
        pass
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await ASGIHandler()(scope, receive, send)

async def several():
    for _ in range(5):
        await ask()

asyncio.run(several())
print(json.dumps(len(made)))
"""
    )

    assert run(tmp_path, script) == 5
