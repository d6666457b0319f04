"""A tool that has wrapped the call of Django's middleware is called with relief as without."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Django is configured once a process, and relief is installed into it: hence one of its own.
PROJECT = """
import asyncio, sys
import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="-",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)
if sys.argv[1] == "relief":
    from freeloop import relief
    assert "middleware" in relief.install()
django.setup()

from django.http import HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.test import AsyncClient
from django.urls import path

async def hello(request):
    return HttpResponse("hello")

urlpatterns = [path("", hello)]
called = []

def wrap(cls, name):
    stock = getattr(cls, name)
    def wrapper(*args, **kwargs):
        called.append(f"{cls.__name__}.{name}")
        return stock(*args, **kwargs)
    setattr(cls, name, wrapper)

wrap(SecurityMiddleware, "__call__")
wrap(XFrameOptionsMiddleware, "__acall__")
asyncio.run(AsyncClient().get("/"))
print(*called)
"""


@pytest.mark.parametrize("arm", ["stock", "relief"])
def test_a_wrapper_around_the_call_of_a_middleware_is_called(arm: str) -> None:
    """Monitoring tools wrap `__call__` of the class; what is wrapped runs as stock."""
    answer = subprocess.run(
        [sys.executable, "-c", PROJECT, arm], capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == [
        "SecurityMiddleware.__call__",
        "XFrameOptionsMiddleware.__acall__",
    ]
