"""System checks of settings and async views, run by Django's own `check`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A project in one module: its views, middleware and URLs.
SITE = """
from django.core.exceptions import MiddlewareNotUsed as NotUsed
from django.db import transaction
from django.http import HttpResponse
from django.urls import include, path
from django.views import View

async def slow(request): return HttpResponse()
def quick(request): return HttpResponse()
@transaction.non_atomic_requests
async def free(request): return HttpResponse()
@transaction.non_atomic_requests(using="other")
async def half(request): return HttpResponse()
class Page(View):
    async def get(self, request): return HttpResponse()

class Plain:
    def __init__(self, get_response): self.get_response = get_response
    def __call__(self, request): return self.get_response(request)

views = {"slow": slow, "quick": quick, "free": free, "half": half, "page": Page.as_view()}
"""
SETUP = """
import json, sys, types
import django
from django.conf import settings
site = types.ModuleType("site_of_test")
sys.modules["site_of_test"] = site
given, views = json.loads(sys.argv[1]), json.loads(sys.argv[2])
settings.configure(**{
    "INSTALLED_APPS": ["freeloop"], "ROOT_URLCONF": "site_of_test", "SECRET_KEY": "x",
    "ALLOWED_HOSTS": ["*"], **given,
})
exec(open(sys.argv[3]).read(), vars(site))
site.urlpatterns = [site.path("in/", site.include([
    site.path(name + "/", site.views[name]) for name in views
]))]
django.setup()
"""
CHECK = """
from django.core.checks import run_checks
found = [each for each in run_checks() if (each.id or "").startswith("freeloop")]
print(json.dumps([[each.id, each.msg] for each in found]))
"""
ASK = """
from django.test import Client
client = Client(raise_request_exception=False)
print(json.dumps({name: client.get(f"/in/{name}/").status_code for name in views}))
"""
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
ATOMIC: dict[str, object] = {"DATABASES": {"default": {**SQLITE, "ATOMIC_REQUESTS": True}}}
KEPT: dict[str, object] = {"DATABASES": {"default": {**SQLITE, "CONN_MAX_AGE": 60}}}
ASGI: dict[str, object] = {"ASGI_APPLICATION": "site_of_test.application"}
PLAIN = "site_of_test.Plain"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site_of_test.txt"
    file.write_text(SITE)
    return file


def run(script: str, settings: dict[str, object], views: list[str], site: Path) -> object:
    """Run a script in a project of its own, and return what it printed as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", SETUP + script, json.dumps(settings), json.dumps(views), site],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("settings", "views", "expected"),
    [
        ({}, ["slow"], []),
        (ATOMIC, ["quick"], []),
        (ATOMIC, ["free"], []),
        (ATOMIC, ["slow", "quick", "free"], [("freeloop.W002", "site_of_test.slow")]),
        (ATOMIC, ["half"], [("freeloop.W002", "site_of_test.half")]),
        (ATOMIC, ["page"], [("freeloop.W002", "site_of_test.Page")]),
        (KEPT, ["slow"], []),
        ({**KEPT, **ASGI}, ["quick"], [("freeloop.W003", "'default' is 60")]),
        ({**KEPT, "FREELOOP": {"RELIEF": {"ENABLED": True}}}, [], [("freeloop.W003", "'default'")]),
        ({"DATABASES": {"default": SQLITE}, **ASGI}, ["slow"], []),
        ({"MIDDLEWARE": [PLAIN]}, ["slow"], []),
        ({"MIDDLEWARE": [PLAIN], **ASGI}, ["quick"], []),
        ({"MIDDLEWARE": [PLAIN], **ASGI}, ["slow"], [("freeloop.W004", PLAIN)]),
        (
            {"MIDDLEWARE": ["django.middleware.common.CommonMiddleware"], **ASGI},
            ["slow"],
            [],
        ),
    ],
)
def test_a_check_speaks_where_settings_and_views_make_it_certain(
    site: Path, settings: dict[str, object], views: list[str], expected: list[tuple[str, str]]
) -> None:
    """And is silent where the same setting is right."""
    found = run(CHECK, settings, views, site)

    assert isinstance(found, list)
    assert [each[0] for each in found] == [identity for identity, _ in expected]
    assert all(part in each[1] for each, (_, part) in zip(found, expected, strict=True))


def test_a_middleware_that_may_leave_the_chain_is_not_certain_to_run(site: Path) -> None:
    """What it decides when it is made is not known before."""
    site.write_text(SITE.replace("MiddlewareNotUsed as NotUsed", "MiddlewareNotUsed"))

    assert run(CHECK, {"MIDDLEWARE": [PLAIN], **ASGI}, ["slow"], site) == []


def test_django_refuses_the_views_that_the_check_names_and_no_other(site: Path) -> None:
    """Each view is asked for: what the check says is what happens."""
    views = ["slow", "quick", "free", "half", "page"]

    answers = run(ASK, ATOMIC, views, site)

    assert answers == {"slow": 500, "quick": 200, "free": 200, "half": 500, "page": 500}


def test_every_id_has_its_row_on_the_page() -> None:
    """An id in a log is what a user looks up."""
    source = ROOT / "src" / "freeloop"
    code = "".join(each.read_text() for each in (source / "checks.py", source / "async_checks.py"))
    page = (ROOT / "docs" / "reference" / "system-checks.md").read_text()

    used = set(re.findall(r'id="(freeloop\.[EW]\d+)"', code))

    assert len(used) >= 7
    assert set(re.findall(r"^\| `(freeloop\.[EW]\d+)`", page, re.MULTILINE)) == used
