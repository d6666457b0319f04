"""Settings are read as text, and decide what a call costs."""

from __future__ import annotations

import pytest

from tests.source.code.conftest import Write

VIEWS = """
from django.core.cache import cache
async def view(request):
    cache.get("a")
    request.session.save()
"""


@pytest.mark.parametrize(
    ("settings", "subjects"),
    [
        ("", ["save"]),
        ('CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}',
         ["save"]),
        ('CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}',
         ["get", "save"]),
        ('SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"', []),
    ],
)  # fmt: skip
def test_settings_decide_what_caches_and_sessions_cost(
    write: Write, settings: str, subjects: list[str]
) -> None:
    """A cache in memory is cheap, and a session in a cookie needs no store."""
    graph = write("conf", conf=settings, views=VIEWS)

    found = [cause.subject.rpartition(".")[2] for _, cause in graph.loop_causes]

    assert found == subjects


def test_settings_of_several_files_are_put_together(write: Write) -> None:
    """A base module, a star import, lists that grow, and defaults of environment variables."""
    graph = write(
        "conf.local",
        conf__base='MIDDLEWARE = ["a.A"]\nROOT_URLCONF = "base.urls"\n',
        conf__local="""
import os
from conf.base import *
MIDDLEWARE = ["first.First", *MIDDLEWARE] if False else MIDDLEWARE
MIDDLEWARE += ["b.B"]
ROOT_URLCONF = os.environ.get("URLS", "local.urls")
DATABASES = {"default": {"ATOMIC_REQUESTS": True, "CONN_MAX_AGE": 60, "OPTIONS": {"pool": True}}}
""",
    )

    assert graph.settings.urlconf == "local.urls"
    assert graph.settings.atomic_requests
    assert graph.settings.conn_max_age == 60
    assert graph.settings.pooled
