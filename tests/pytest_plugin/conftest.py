"""A pytest of its own for each test, with the plugins that it asks for and no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

type Run = Callable[..., pytest.RunResult]

SETTINGS = """
    SECRET_KEY = "for tests"
    ROOT_URLCONF = "shop_urls"
    ALLOWED_HOSTS = ["testserver"]
    INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}}
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
URLS = """
    import asyncio
    import time

    from asgiref.sync import sync_to_async
    from django.contrib.auth.models import User
    from django.http import HttpResponse
    from django.urls import path


    def price_of(item):
        time.sleep(0.3)  # stands for a call to a slow service
        return item


    async def slow(request):
        await asyncio.sleep(0.01)
        return HttpResponse(price_of("soup"))


    async def fine(request):
        await asyncio.sleep(0.3)
        return HttpResponse("soup " + request.GET.get("with", ""))


    async def hops(request):
        for _ in range(5):
            await sync_to_async(len)("soup")
        return HttpResponse("soup")


    async def users(request):
        return HttpResponse(str(await User.objects.acount()))


    async def echo(request):
        body = request.method.encode() + b" " + request.body
        return HttpResponse(body, headers={"X-Shop": request.COOKIES.get("a", "")})


    urlpatterns = [
        path("slow/", slow),
        path("fine/", fine),
        path("hops/", hops),
        path("users/", users),
        path("echo/", echo),
    ]
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return a function that runs pytest with plugins, by the names of their entry points."""

    def run(*arguments: str, plugins: tuple[str, ...] = ()) -> pytest.RunResult:
        loaded = [word for name in ("freeloop", *plugins) for word in ("-p", name)]
        if "asyncio" in plugins:
            loaded += ["-o", "asyncio_default_fixture_loop_scope=function"]
        return pytester.runpytest_subprocess(*loaded, *arguments, timeout=100)

    return run


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A Django project of a few async views."""
    pytester.makepyfile(shop_settings=SETTINGS, shop_urls=URLS)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop_settings")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    return pytester
