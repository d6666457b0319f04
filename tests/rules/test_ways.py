"""Ways to a cause: what the default view shows, and what it only counts."""

from __future__ import annotations

from pathlib import Path

from freeloop.model.finding import Finding, FindingClass, Guard
from tests.rules.cases import check

MODELS = "from django.db import models\nclass Dish(models.Model): pass\n"
SETTINGS = 'ROOT_URLCONF = "urls"\n'
URLS = "from django.urls import path\nfrom views import view\nurlpatterns = [path('a/', view)]\n"


def found_in(at: Path, views: str, urls: str = URLS, **beside: str) -> dict[int, Finding]:
    """Return the findings in a project's views by their lines."""
    files = {"models": MODELS, "settings": SETTINGS, "urls": urls, "views": views, **beside}
    for name, text in files.items():
        (at / f"{name}.py").write_text(text)
    (at / "pyproject.toml").touch()
    return {each.line: each for each in check(at) if each.path == "views.py"}


def test_what_follows_a_line_that_raises_is_only_counted(tmp_path: Path) -> None:
    """On the loop it is not reached; a branch of its own, or a caught error, changes that."""
    found = found_in(
        tmp_path,
        "from models import Dish\n"
        "async def view(request):\n"
        "    if request.GET:\n"
        "        Dish.objects.get(pk=1)\n"
        "    try:\n"
        "        Dish.objects.first()\n"
        "        Dish.objects.last()\n"
        "    except Exception: pass\n"
        "    count()\n"
        "    Dish.objects.count()\n"
        "def count():\n"
        "    return Dish.objects.exists()\n",
    )

    assert {line for line, each in found.items() if not each.folded} == {4, 6, 12}
    assert {line for line, each in found.items() if each.guard is Guard.AFTER} == {7, 10}


def test_a_handler_that_nobody_awaits_reaches_nothing(tmp_path: Path) -> None:
    """Django REST framework gets a coroutine: that is shown, and nothing in it."""
    found = found_in(
        tmp_path,
        "from models import Dish\n"
        "from rest_framework.decorators import api_view\n"
        "@api_view(['GET'])\n"
        "async def view(request):\n"
        "    return Dish.objects.get(pk=1)\n",
    )

    shown = {line: each.rule for line, each in found.items() if not each.folded}
    assert shown == {4: "FL404"}
    assert not found[5].rooted


def test_a_coroutine_that_is_only_made_reaches_nothing(tmp_path: Path) -> None:
    """The missing await is the finding; mended, the query behind it comes to light."""
    found = found_in(
        tmp_path,
        "from models import Dish\n"
        "async def view(request):\n"
        "    load(); await x\n"
        "async def load():\n"
        "    return Dish.objects.get(pk=1)\n",
    )

    assert {line for line, each in found.items() if not each.folded} == {3}


def test_a_default_that_no_route_changes_is_an_argument(tmp_path: Path) -> None:
    """Unless the URLconf names the parameter."""
    views = (
        "from models import Dish\n"
        "async def view(request, deep=False):\n"
        "    if deep:\n"
        "        return Dish.objects.get(pk=1)\n"
    )
    given = URLS.replace("view)]", "view, {'deep': True})]")

    assert not any(not each.folded for each in found_in(tmp_path, views).values())
    assert not found_in(tmp_path, views, given)[4].folded


def test_what_runs_once_in_a_process_is_only_counted(tmp_path: Path) -> None:
    """Nobody waits while it starts."""
    found = found_in(
        tmp_path,
        "import time\n"
        "from discord.ext import commands\n"
        "class Bot(commands.Bot):\n"
        "    async def setup_hook(self):\n"
        "        time.sleep(1)\n"
        "    async def on_message(self, message):\n"
        "        time.sleep(1)\n",
    )

    assert found[5].guard is Guard.RARE
    assert not found[7].folded


def test_without_an_async_entry_point_async_code_is_only_counted(tmp_path: Path) -> None:
    """The URLconf is there to be read, and says that no request runs it."""
    sync = "import time\ndef view(request): pass\nasync def job():\n    time.sleep(1)\n"
    found = found_in(tmp_path, sync)

    assert found[4].folded
    assert "no async view below urls" in check(tmp_path).notes[-1]


def test_what_a_decorator_registers_is_an_entry_point(tmp_path: Path) -> None:
    """A message's name finds it, in a table that reading does not follow."""
    found = found_in(
        tmp_path,
        "import time\n"
        "def command(name):\n"
        "    def wrapper(func):\n"
        "        func._command = name\n"
        "        return func\n"
        "    return wrapper\n"
        "@command('sit')\n"
        "async def sit(body):\n"
        "    time.sleep(1)\n"
        "def view(request): pass\n",
    )

    assert found[9].entry == "registered handler sit"
    assert not found[9].folded


def test_a_consumer_is_entered_where_channels_enters_it(tmp_path: Path) -> None:
    """A helper of its own is no handler, however public; a name that is put together is one."""
    views = (
        "import time\n"
        "from channels.generic.websocket import AsyncWebsocketConsumer\n"
        "class Table(AsyncWebsocketConsumer):\n"
        "    async def receive(self, text_data=None, bytes_data=None):\n"
        "        await self.nap(1, 2)\n"
        "    async def nap(self, a, b):\n"
        "        time.sleep(1)\n"
        "    async def unused(self, a, b):\n"
        "        time.sleep(2)\n"
        "async def view(request): await x\n"
    )
    routing = "from views import Table\napplication = Table.as_asgi()\n"
    found = found_in(tmp_path, views, asgi=routing)

    assert found[7].entry == "consumer Table.receive"
    assert found[9].folded

    called = views.replace("self.nap(1, 2)", "self.nap(1, 2); getattr(self, text_data)()")
    assert found_in(tmp_path, called, asgi=routing)[9].entry == "consumer Table.unused"
    assert found_in(tmp_path, views, asgi="# Table is out of order")[7].folded


def test_what_a_function_that_only_asks_a_setting_allows_is_only_counted(tmp_path: Path) -> None:
    """As where the setting is asked itself."""
    found = found_in(
        tmp_path,
        "import os\nimport time\n"
        "async def view(request):\n"
        "    await x\n"
        "    if is_traced():\n"
        "        time.sleep(1)\n"
        "    elif request.GET:\n"
        "        time.sleep(2)\n"
        "def is_traced():\n"
        "    return bool(os.getenv('TRACED'))\n",
    )

    assert found[6].guard is Guard.SETTING


def test_a_coroutine_on_a_loop_of_its_own_does_not_hold_this_one(tmp_path: Path) -> None:
    """A helper that starts one in a thread runs it there."""
    found = found_in(
        tmp_path,
        "import asyncio\nimport time\nimport threading\n"
        "async def view(request):\n"
        "    await x\n"
        "    elsewhere(slow())\n"
        "def elsewhere(given):\n"
        "    loop = asyncio.new_event_loop()\n"
        "    threading.Thread(target=loop.run_forever).start()\n"
        "    asyncio.run_coroutine_threadsafe(given, loop)\n"
        "async def slow():\n"
        "    time.sleep(1)\n",
    )

    assert found[12].folded


def test_a_branch_on_what_an_object_was_made_with_is_met_or_not(tmp_path: Path) -> None:
    """An attribute that `__init__` alone sets from an argument is that argument."""
    views = (
        "from models import Dish\n"
        "class Reader:\n"
        "    def __init__(self, url, deep=False):\n"
        "        self.url = url\n"
        "        self.deep = deep\n"
        "    async def run(self):\n"
        "        await self.read()\n"
        "    async def read(self):\n"
        "        if self.deep:\n"
        "            Dish.objects.get(pk=1)\n"
        "async def view(request):\n"
        "    reader = Reader('a')\n"
        "    await reader.run()\n"
    )
    deep = views.replace("'a'", "'a', deep=True")
    unknown = views.replace("'a'", "'a', request.GET")
    handed_on = views.replace("    await reader", "    change(reader)\n    await reader")
    set_later = views.replace("    await reader", "    reader.deep = True\n    await reader")
    reset = views.replace("        await self.read", "        self.deep = 1; await self.read")

    assert all(each.folded for each in found_in(tmp_path, views).values())
    assert not found_in(tmp_path, deep)[10].folded
    assert not found_in(tmp_path, unknown)[10].folded
    assert not found_in(tmp_path, handed_on)[10].folded
    assert not found_in(tmp_path, set_later)[10].folded
    assert not found_in(tmp_path, reset)[10].folded


def test_a_user_that_every_way_has_loaded_is_not_loaded_again(tmp_path: Path) -> None:
    """What a thread looked at before the call is there in the function called, the session too."""
    found = found_in(
        tmp_path,
        "from asgiref.sync import sync_to_async\n"
        "from django.views import View\n"
        "class Basket(View):\n"
        "    async def get(self, request):\n"
        "        await self.signed_in(request)\n"
        "        await self.order(request)\n"
        "        return self.greet(request.user), self.both(request)\n"
        "    async def post(self, request):\n"
        "        return self.both(request)\n"
        "    async def signed_in(self, request):\n"
        "        return await sync_to_async(lambda: request.user.is_authenticated)()\n"
        "    async def order(self, request):\n"
        "        return request.session.get('basket'), request.user.id\n"
        "    def greet(self, user):\n"
        "        return user.username\n"
        "    def both(self, request):\n"
        "        return request.user.id\n",
        urls="from django.urls import path\nfrom views import Basket\n"
        "urlpatterns = [path('a/', Basket.as_view())]\n",
    )

    assert {line for line, each in found.items() if each.rooted} == {17}
    assert [call.line for call in found[17].chain] == [9, 17]


AUTHENTICATED = (
    'MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware",'
    '"django.contrib.auth.middleware.AuthenticationMiddleware"{more}]\n'
)


def test_a_user_that_somebody_may_have_loaded_is_only_counted(tmp_path: Path) -> None:
    """By a layer of another package, of the project, or a framework's own way to sign in."""
    view = "async def view(request):\n    return request.user.id\n"
    framework = "from adrf.views import APIView\nclass Basket(APIView):\n    " + view.replace(
        "view(", "get(self, "
    ).replace("    return", "        return")
    own = "def looks(get_response):\n    def layer(request):\n        {}\n"
    own += "        return get_response(request)\n    return layer\n"

    def shown(views: str, more: str, **beside: str) -> bool:
        urls = URLS.replace("import view", "import *").replace(
            "view)", "Basket.as_view())" if "Basket" in views else "view)"
        )
        settings = SETTINGS + AUTHENTICATED.format(more=more)
        found = found_in(tmp_path, views, urls=urls, settings=settings, **beside)
        return not next(each for each in found.values() if each.rule == "FL112").folded

    assert shown(view, "")
    assert shown(view, ', "corsheaders.middleware.CorsMiddleware"')
    assert shown(view, ', "layers.looks"', layers=own.format("pass"))
    assert not shown(view, ', "layers.looks"', layers=own.format("print(request.user)"))
    assert not shown(view, ', "simple_history.middleware.HistoryRequestMiddleware"')
    assert not shown(view, "] + more_layers() + [")
    assert not shown(framework, "")


def test_what_tasks_alone_send_does_not_hold_the_loop_of_requests(tmp_path: Path) -> None:
    """Django makes a loop for the receivers, which nobody else waits on."""
    views = (
        "import time\n"
        "from django.dispatch import Signal, receiver\n"
        "from celery import shared_task\n"
        "ended = Signal()\n"
        "@receiver(ended)\n"
        "async def tell(**kwargs):\n"
        "    time.sleep(1)\n"
        "@shared_task\n"
        "def end():\n"
        "    ended.send(None)\n"
        "async def view(request):\n"
        "    await x\n"
    )

    assert found_in(tmp_path, views)[7].folded
    by_view = views.replace("    await x\n", "    await ended.asend(None)\n")
    assert not found_in(tmp_path, by_view)[7].folded


def test_a_method_that_async_to_sync_makes_sync_is_no_async_view(tmp_path: Path) -> None:
    """Django runs it in a thread, where it makes a loop of its own."""
    views = (
        "import time\n"
        "from asgiref.sync import async_to_sync\n"
        "from django.views import View\n"
        "async def other(request):\n"
        "    await x\n"
        "class Login(View):\n"
        "    @async_to_sync\n"
        "    async def get(self, request):\n"
        "        time.sleep(1)\n"
    )
    urls = URLS.replace("import view", "import *").replace(
        "path('a/', view)", "path('a/', other), path('b/', Login.as_view())"
    )

    assert found_in(tmp_path, views, urls=urls)[9].folded
    without = views.replace("    @async_to_sync\n", "    @method_decorator(x)\n")
    assert not found_in(tmp_path, without, urls=urls)[9].folded


def test_a_field_that_a_new_row_does_not_have_meets_no_branch(tmp_path: Path) -> None:
    """Django sets it: to what the call says, to its default, or to nothing."""
    views = (
        "import time\n"
        "from django.db import models\n"
        "class Document(models.Model):\n"
        "    address = models.URLField()\n"
        "    async def prepare(self):\n"
        "        if self.address:\n"
        "            time.sleep(1)\n"
        "async def view(request):\n"
        "    document = Document({})\n"
        "    await document.prepare()\n"
    )

    assert found_in(tmp_path, views.format(""))[7].folded
    assert found_in(tmp_path, views.format("address=None"))[7].folded
    assert not found_in(tmp_path, views.format("address='a'"))[7].folded
    assert not found_in(tmp_path, views.format("*given"))[7].folded
    assert not found_in(tmp_path, views.format("**given"))[7].folded
    default = views.replace("URLField()", "URLField(default='a')")
    assert not found_in(tmp_path, default.format(""))[7].folded


def test_a_query_that_django_does_not_refuse_holds_the_loop(tmp_path: Path) -> None:
    """A project may allow it: then nothing raises, and what comes after is reached."""
    views = (
        "from models import Dish\n"
        "async def view(request):\n"
        "    Dish.objects.first()\n"
        "    return Dish.objects.last()\n"
    )

    refused = found_in(tmp_path, views)
    assert [refused[line].guard for line in (3, 4)] == [Guard.NONE, Guard.AFTER]
    allowed = found_in(
        tmp_path, views, bot="import os\nos.environ['DJANGO_ALLOW_ASYNC_UNSAFE'] = 'true'\n"
    )
    assert [allowed[line].guard for line in (3, 4)] == [Guard.NONE, Guard.NONE]
    assert {allowed[line].class_ for line in (3, 4)} == {FindingClass.STALL}
    assert "SynchronousOnlyOperation" not in allowed[3].message


def test_rows_that_were_taken_before_are_only_counted(tmp_path: Path) -> None:
    """The first loop raises, on whichever branch it stands."""
    found = found_in(
        tmp_path,
        "from models import Dish\n"
        "async def view(request):\n"
        "    dishes = Dish.objects.filter(pk=1)\n"
        "    if request.GET:\n"
        "        for dish in dishes: print(dish)\n"
        "    return [dish for dish in dishes]\n",
    )

    assert {line: each.folded for line, each in found.items()} == {5: False, 6: True}
