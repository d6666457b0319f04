"""Entry points: what a server, Django or a framework calls on the event loop."""

from __future__ import annotations

from tests.source.code.conftest import Write

SETTINGS = (
    'ROOT_URLCONF = "site_urls"\nMIDDLEWARE = ["shop.middleware.Slow", "shop.middleware.fast"]'
)


def entries(write: Write, **modules: str) -> set[tuple[str, str, str]]:
    """Return function, kind and path of each entry point."""
    graph = write("conf", conf=SETTINGS, **modules)
    return {(each.func.name, each.what, each.route) for each in graph.entries}


def test_views_are_found_through_includes_with_their_whole_path(write: Write) -> None:
    """A finding names the path that a user calls."""
    found = entries(
        write,
        site_urls="""
from django.urls import include, path
urlpatterns = [path("shop/", include("shop.urls")), path("more/", include(("shop.more", "more")))]
""",
        shop__urls="""
from django.urls import path, re_path
from shop.views import basket, Order, sync_view
urlpatterns = [
    path("basket/", basket),
    path("order/<int:pk>/", Order.as_view(), name="order"),
    path("sync/", sync_view),
]
""",
        shop__views="""
from django.views import View
async def basket(request): ...
def sync_view(request): ...
class Order(View):
    async def get(self, request, pk): ...
    def setup(self, *args): ...
""",
    )

    assert ("basket", "async view", "/shop/basket/") in found
    assert ("Order.get", "async view", "/shop/order/<int:pk>/") in found
    assert ("Order.setup", "async view", "/shop/order/<int:pk>/") in found
    assert not any(name == "sync_view" for name, _, _ in found)


def test_views_are_found_behind_decorators_and_helpers_of_the_project(write: Write) -> None:
    """Projects wrap `path` and views in functions of their own."""
    found = entries(
        write,
        site_urls="""
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from shop.views import one, two, three
def page(address, view):
    return path(f"{address}/", view)
urlpatterns = [page("one", one), path("two/", csrf_exempt(two))]
urlpatterns += [path("three/", view=three)]
""",
        shop__views="""
async def one(request): ...
async def two(request): ...
async def three(request): ...
""",
    )

    assert {name for name, what, _ in found if what == "async view"} == {"one", "two", "three"}


def test_consumers_middleware_applications_and_endpoints_are_entry_points(write: Write) -> None:
    """All of them run on the loop without a URLconf of Django's that says so."""
    found = entries(
        write,
        shop__middleware="""
class Slow:
    async_capable = True
    def __init__(self, get_response): ...
    async def __call__(self, request): ...
    def process_view(self, request): ...
def fast(get_response):
    async def middleware(request):
        return await get_response(request)
    return middleware
""",
        shop__consumers="""
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
class Echo(AsyncWebsocketConsumer):
    async def connect(self): ...
    async def told(self, event): ...
class Threaded(WebsocketConsumer):
    def connect(self): ...
""",
        shop__api="""
from ninja import NinjaAPI
api = NinjaAPI()
@api.get("/a")
async def on_loop(request): ...
@api.get("/b")
def in_thread(request): ...
""",
        shop__asgi="""
async def application(scope, receive, send): ...
""",
        shop__signals="""
from django.core.signals import request_started
from django.dispatch import receiver
@receiver(request_started)
async def on_start(sender, **kwargs): ...
""",
    )

    assert {(name, what) for name, what, _ in found} == {
        ("Slow.__call__", "middleware"),
        ("fast.middleware", "middleware"),
        ("Echo.connect", "consumer"),
        ("Echo.told", "consumer"),
        ("on_loop", "endpoint"),
        ("application", "ASGI application"),
        ("on_start", "receiver"),
    }


def test_what_a_framework_is_given_is_an_entry_point(write: Write) -> None:
    """Handlers of bots and of aiohttp, GraphQL resolvers, and what a sync view streams."""
    found = entries(
        write,
        bot="""
from telegram.ext import CommandHandler
async def start(update, context): ...
async def helper(): ...
def register(app):
    app.add_handler(CommandHandler("start", start))
""",
        cogs="""
import discord
from discord import app_commands
from discord.ext import commands
class Shop(commands.Cog):
    @app_commands.command()
    async def buy(self, interaction): ...
    @commands.Cog.listener()
    async def on_message(self, message): ...
    async def helper(self): ...
class Pay(discord.ui.Modal):
    async def on_submit(self, interaction): ...
""",
        server="""
from aiohttp import web
async def page(request): ...
app = web.Application()
app.add_routes([web.get("/page", page)])
""",
        schema="""
import strawberry
@strawberry.type
class Query:
    @strawberry.field
    async def dishes(self): ...
""",
        stream="""
from django.http import StreamingHttpResponse
async def chunks(): yield 1
async def kept(inner):
    async for each in inner: yield each
def view(request):
    inner = chunks()
    return StreamingHttpResponse(kept(inner))
""",
    )

    assert {(name, what) for name, what, _ in found} == {
        ("start", "handler"),
        ("Shop.buy", "bot handler"),
        ("Shop.on_message", "bot handler"),
        ("Pay.on_submit", "bot handler"),
        ("page", "handler"),
        ("Query.dishes", "endpoint"),
        ("chunks", "stream"),
        ("kept", "stream"),
    }


def test_view_sets_are_entry_points_by_their_actions(write: Write) -> None:
    """A router of Django REST framework makes the routes; only the class is named."""
    found = entries(
        write,
        site_urls="""
from rest_framework.routers import DefaultRouter
from views import Dishes
router = DefaultRouter()
router.register("dishes", Dishes)
urlpatterns = router.urls
""",
        views="""
from adrf.viewsets import ViewSet
from rest_framework.decorators import action
class Dishes(ViewSet):
    async def list(self, request): ...
    @action(detail=True)
    async def cook(self, request, pk): ...
    async def helper(self): ...
""",
    )

    assert {name for name, _, _ in found} == {"Dishes.list", "Dishes.cook"}


def test_what_no_file_names_is_no_entry_point(write: Write) -> None:
    """Of a URLconf that nothing includes, a router or receiver in a module that nothing loads."""
    views = "async def {}(request): ..."
    urls = "from django.urls import path\nfrom {}.views import {}\nurlpatterns = [path('', {})]"
    router = (
        "from ninja import Router\nrouter = Router()\n@router.get('')\nasync def {}(request): ..."
    )
    found = entries(
        write,
        site_urls="""
from django.urls import include, path
from hooks import patterns
from kept.api import router
import kept.receivers
urlpatterns = [path("a/", include("included.urls"))] + patterns()
""",
        hooks="""
def patterns():
    return [path("b/", include("hooked.urls"))]  # and "left.urls"
""",
        included__urls=urls.format("included", "one", "one"),
        included__views=views.format("one"),
        hooked__urls=urls.format("hooked", "two", "two"),
        hooked__views=views.format("two"),
        left__urls=urls.format("left", "three", "three") + "\nimport lost.urls",
        left__views=views.format("three"),
        lost__urls=urls.format("lost", "four", "four"),
        lost__views=views.format("four"),
        kept__api=router.format("five"),
        left__api=router.format("six"),
        kept__receivers="""
from django.dispatch import receiver
@receiver(changed)
async def seven(**kwargs): ...
""",
        left__receivers="""
from django.dispatch import receiver
@receiver(changed)
async def eight(**kwargs): ...
""",
        shop__middleware="""
class Slow:
    async_capable = True
    async def __call__(self, request): ...
class Unlisted:
    async_capable = True
    async def __call__(self, request): ...
""",
        tests__test_all="import left.urls, left.api\nfrom shop.middleware import Unlisted",
    )

    assert {name for name, _, _ in found} == {"one", "two", "five", "seven", "Slow.__call__"}


def test_names_that_are_put_together_are_names(write: Write) -> None:
    """Projects include the URLconf of each application in a loop."""
    found = entries(
        write,
        site_urls="""
from django.urls import include, path
from apps import names
urlpatterns = [path(name, include(f"{name}.urls")) for name in names]
""",
        shop__urls="from django.urls import path\nfrom shop.views import one\na = [path('', one)]",
        shop__views="async def one(request): ...",
    )

    assert {name for name, _, _ in found} == {"one"}
