"""Putting relief in and out, what it imports, and the switches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers import asgi, base
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory, override_settings

from freeloop import relief
from freeloop.relief import seams, switch
from tests.relief.safety.exchange import answer_of, relieved
from tests.relief.safety.started import request_threads

ROOT = Path(__file__).parents[3]


def python(code: str, **environment: str) -> Any:
    """Run it in a new process; it prints JSON."""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("module", ["freeloop.relief", "freeloop.asgi"])
def test_relief_imports_django_asgiref_and_the_standard_library_alone(module: str) -> None:
    """It runs in every process of a project; sqlparse is what Django's database layer brings."""
    code = (
        "import sys, json\nbefore = set(sys.modules)\n"
        f"import {module}\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(json.dumps(sorted(names - sys.stdlib_module_names)))"
    )

    # Names with an underscore are the interpreter's, or the finder of an editable install.
    found = {name for name in python(code) if not name.startswith("_")}
    assert found <= {"freeloop", "django", "asgiref", "sqlparse"}


def test_install_before_setup_reads_no_setting_and_imports_no_contrib() -> None:
    """As the first line of asgi.py, before the settings module is known."""
    code = """
import sys, json
from freeloop import relief
parts = relief.install()
from django.conf import settings
contrib = [name for name in sys.modules if name.startswith("django.contrib.")]
print(json.dumps([settings.configured, contrib, parts]))
"""

    configured, contrib, parts = python(code)

    assert (configured, contrib) == (False, [])
    assert "middleware" in parts


@pytest.mark.parametrize("value", ["0", "false", "off", "no", " OFF "])
def test_the_kill_switch_leaves_django_untouched(value: str) -> None:
    """FREELOOP_RELIEF=0, without another deployment."""
    code = """
import json
from django.core.handlers import asgi, base
names = lambda: [id(asgi.signals), id(asgi.sync_to_async), id(asgi.ThreadSensitiveContext),
    id(base.convert_exception_to_response), id(base.BaseHandler.load_middleware)]
before = names()
from freeloop import relief
print(json.dumps([relief.install(), names() == before]))
"""

    assert python(code, FREELOOP_RELIEF=value) == [[], True]


def test_installing_twice_is_installing_once() -> None:
    """And uninstalling puts back what was there."""
    before = [getattr(each.owner, each.name) for each in seams.seams()]
    first = relief.install()
    inside = [getattr(each.owner, each.name) for each in seams.seams()]
    second = relief.install()

    assert first == second
    assert [getattr(each.owner, each.name) for each in seams.seams()] == inside
    assert relief.uninstall() == ()
    assert [getattr(each.owner, each.name) for each in seams.seams()] == before
    assert relief.uninstall() == ()


def test_a_patch_on_top_is_left_and_named_and_ours_below_is_stock(
    started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A monitoring tool that came later must not lose its wrapper."""
    stock = base.BaseHandler.load_middleware
    # What monkeypatch finds first is what it puts back at the end.
    monkeypatch.setattr(base.BaseHandler, "load_middleware", stock)
    relief.install()
    ours = base.BaseHandler.load_middleware

    def on_top(self: Any, *args: Any, **named: Any) -> Any:
        return ours(self, *args, **named)

    monkeypatch.setattr(base.BaseHandler, "load_middleware", on_top)
    left = relief.uninstall()
    try:
        assert left == ("BaseHandler.load_middleware",)
        assert base.BaseHandler.load_middleware is on_top
        assert answer_of(ASGIHandler()).status == 200
        # The request got stock's own thread.
        assert len(request_threads(started)) >= 1
    finally:
        monkeypatch.setattr(base.BaseHandler, "load_middleware", stock)


def test_a_handler_built_while_installed_is_stock_after_uninstall(started: list[Any]) -> None:
    """What tests or tools keep of ours does what stock does."""
    with relieved():
        handler = ASGIHandler()
        answer_of(handler)
        assert request_threads(started) == []

    assert answer_of(handler).body == b"hello GET"
    assert len(request_threads(started)) >= 1


def threads_of(handler: Any, started: list[Any], path: str = "/") -> int:
    """Ask once; return how many threads that started."""
    before = len(request_threads(started))
    assert answer_of(handler, path).status == 200
    return len(request_threads(started)) - before


def test_the_setting_decides_anew_when_it_changes(started: list[Any]) -> None:
    """On the same handler, inside `override_settings` and after it."""
    with relieved():
        handler = ASGIHandler()
        assert threads_of(handler, started) == 0
        with override_settings(FREELOOP={"RELIEF": {"ENABLED": False}}):
            assert threads_of(handler, started) >= 1
        with override_settings(FREELOOP={"RELIEF": {"SAMPLE": 0.0}}):
            assert threads_of(handler, started) >= 1
        assert threads_of(handler, started) == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"SESSION_SAVE_EVERY_REQUEST": True},
        {"CSRF_USE_SESSIONS": True},
        {"PREPEND_WWW": True, "ALLOWED_HOSTS": ["testserver"]},
        {"MESSAGE_STORAGE": "tests.relief.safety.project.storage.OwnStorage"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_setting_that_makes_a_hook_write_is_seen_at_once(
    changed: dict[str, Any], started: list[Any]
) -> None:
    """The guards read it at each request; the answer is that of stock."""
    with relieved():
        handler = ASGIHandler()
        answer_of(handler)
        before = len(request_threads(started))
        with override_settings(**changed):
            answer_of(handler)
        during = len(request_threads(started))
        answer_of(handler)

    assert during - before >= 1
    assert len(request_threads(started)) == during


def test_a_sample_relieves_its_share(started: list[Any]) -> None:
    """Each request is drawn for itself, and is relieved as a whole or not at all."""
    with relieved(), override_settings(FREELOOP={"RELIEF": {"SAMPLE": 0.5}}):
        handler = ASGIHandler()
        drawn = [threads_of(handler, started) > 0 for _ in range(60)]

    assert 10 < sum(drawn) < 50


def frames_of_relief(call: Any) -> list[str]:
    """Return the functions of relief that ran in this thread during the call."""
    seen: list[str] = []
    folder = str(Path(relief.__file__).parent)

    def trace(frame: Any, event: str, _argument: Any) -> None:
        if frame.f_code.co_filename.startswith(folder):
            seen.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(trace)
    try:
        call()
    finally:
        sys.setprofile(before)
    return seen


@pytest.mark.parametrize("path", ["/", "/hello_sync/", "/page_sync/", "/fails_sync/"])
def test_a_wsgi_request_runs_no_code_of_relief(path: str) -> None:
    """Only the ASGI handler is relieved."""
    with relieved():
        handler = WSGIHandler()
        environ = RequestFactory().get(path).environ

        def ask() -> None:
            started: Any = lambda *_args: None  # noqa: E731
            body: Any = handler(environ, started)
            body.close()

        assert frames_of_relief(ask) == []


def test_the_sync_client_runs_relief_only_to_build_its_chain() -> None:
    """Each client builds one at its first request; the three names pass it on to stock."""
    with relieved():
        client = Client(raise_request_exception=False)
        first = frames_of_relief(lambda: client.get("/hello_sync/"))
        later = frames_of_relief(lambda: client.get("/hello_sync/"))

    assert set(first) <= {
        *("load_middleware", "convert_exception_to_response", "adapt_method_mode"),
    }
    assert later == []


def test_asgi_names_are_stocks_outside_of_install() -> None:
    """Nothing is put in by an import."""
    assert vars(asgi)["ThreadSensitiveContext"].__module__ == "asgiref.sync"
    assert not switch.on()
