"""A Django, asgiref or Python of another shape: that part stays stock, and says so once."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from concurrent.futures import thread as pools
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.core.handlers import base
from django.core.handlers.asgi import ASGIHandler
from django.dispatch import Signal
from django.http.response import HttpResponseBase
from django.utils import deprecation
from django.utils.deprecation import MiddlewareMixin

from freeloop import relief
from freeloop.checks import check_relief
from freeloop.relief import seams
from tests.relief.safety.exchange import answer_of
from tests.relief.safety.started import request_threads

PARTS = {
    "request thread",
    "request executor",
    "request signals",
    "response closing",
    "middleware",
    "connections",
}


def written_there(source: str, name: str, of: Any) -> Any:
    """Return the function as if the library of `of` had it in its own file."""
    names: dict[str, Any] = {}
    exec(compile(source, of.__code__.co_filename, "exec"), names)
    return names[name]


OTHERWISE: dict[str, tuple[Any, str, str, set[str]]] = {
    "request thread": (
        SyncToAsync,
        "__call__",
        "async def __call__(self, *args, **kwargs):\n    return self.func(*args, **kwargs)",
        PARTS - {"connections"},
    ),
    "thread context": (
        ThreadSensitiveContext,
        "__aexit__",
        "async def __aexit__(self, *raised):\n    return None",
        PARTS - {"connections"},
    ),
    "request executor": (
        pools,
        "_worker",
        # As Python 3.14 has it.
        "def _worker(executor_reference, ctx, work_queue):\n    return None",
        {"request executor"},
    ),
    "request signals": (
        Signal,
        "asend",
        "async def asend(self, sender, **named):\n    return []",
        {"request signals", "response closing"},
    ),
    "response closing": (
        HttpResponseBase,
        "close",
        "def close(self):\n    self.closed = self.and_something_new = True",
        {"response closing"},
    ),
    "middleware": (
        MiddlewareMixin,
        "__acall__",
        # As a Django would have it that has left out these hops by itself.
        (
            "async def __acall__(self, request):\n"
            "    if hasattr(self, 'process_request'):\n"
            "        self.process_request(request)\n"
            "    response = await self.get_response(request)\n"
            "    if hasattr(self, 'process_response'):\n"
            "        response = self.process_response(request, response)\n"
            "    return response"
        ),
        {"middleware"},
    ),
    "conversion": (
        base,
        "convert_exception_to_response",
        "def convert_exception_to_response(get_response):\n    return get_response",
        {"middleware"},
    ),
}


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seams, "_said", set())


@pytest.fixture(params=OTHERWISE)
def stock(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[set[str], Any, str]]:
    """Change one function; give the parts that must stay stock, and the changed one."""
    owner, name, source, parts = OTHERWISE[request.param]
    monkeypatch.setattr(owner, name, written_there(source, name, getattr(owner, name)))
    yield parts, owner, name
    relief.uninstall()


def test_the_part_stays_stock_and_the_others_are_relieved(stock: tuple[set[str], Any, str]) -> None:
    """Of `request thread` all that needs to know about the thread."""
    parts, owner, name = stock
    theirs = getattr(owner, name)

    assert set(relief.install()) == PARTS - parts
    assert getattr(owner, name) is theirs


def test_it_is_logged_once(
    stock: tuple[set[str], Any, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Also when relief is put in again and again."""
    parts, _owner, name = stock
    with caplog.at_level(logging.WARNING, "freeloop.relief"):
        for _ in range(3):
            relief.install()
            relief.install()
            relief.uninstall()

    said = [each.getMessage() for each in caplog.records if each.name == "freeloop.relief"]
    assert {sentence_part(each) for each in said} == parts
    assert len(said) == len(parts)
    assert all(name in each for each in said)


def sentence_part(said: str) -> str:
    """Return the part that a logged sentence names."""
    found = re.fullmatch(r"freeloop relief: (.+) stays stock: .+", said)
    assert found is not None, said
    return found[1]


def test_the_system_check_names_it(stock: tuple[set[str], Any, str]) -> None:
    """W001, one warning for each part; nothing where relief is not installed."""
    parts, _owner, _name = stock
    assert check_relief() == []
    relief.install()

    warned = check_relief()

    assert {each.id for each in warned} == {"freeloop.W001"}
    named = {re.match(r"relief leaves (.+) as Django has it: ", each.msg) for each in warned}
    assert {each[1] for each in named if each is not None} == parts
    assert len(warned) == len(parts)


def test_a_known_shape_is_not_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    """The installed Django and asgiref."""
    with caplog.at_level(logging.WARNING, "freeloop.relief"):
        assert set(relief.install()) == PARTS

    assert caplog.records == []
    assert check_relief() == []


def test_a_django_without_the_hops_runs_its_own_middleware(
    monkeypatch: pytest.MonkeyPatch, started: list[Any]
) -> None:
    """Relief steps aside: every hook is called by Django's code, and still no thread is needed."""
    owner, name, source, _parts = OTHERWISE["middleware"]
    monkeypatch.setattr(owner, name, written_there(source, name, getattr(owner, name)))
    called: list[str] = []
    theirs: Any = MiddlewareMixin.__acall__

    async def counted(self: Any, request: Any) -> Any:
        called.append(type(self).__name__)
        return await theirs(self, request)

    relief.install()
    monkeypatch.setattr(deprecation.MiddlewareMixin, "__acall__", counted)
    answer = answer_of(ASGIHandler())

    assert answer.status == 200
    assert "CsrfViewMiddleware" in called
    assert len(called) == 7
    assert len(request_threads(started)) <= 1
