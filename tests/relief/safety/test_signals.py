"""Receivers of a project's own: called as stock calls them, with stock's sender."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core import signals
from django.core.handlers.asgi import ASGIHandler

from tests.relief.safety.exchange import answer_of, relieved
from tests.relief.safety.project.told import said

NAMES = ("request_started", "request_finished", "got_request_exception")


class OwnHandler(ASGIHandler):
    """A project's handler: the sender is this class."""


def _where() -> str:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return "thread"
    return "loop"


@contextmanager
def connected(name: str, kind: str) -> Iterator[list[Any]]:
    """Connect a receiver of this kind; collect where it was called, its sender, what was sent."""
    calls: list[Any] = []

    def receiver(sender: Any, **named: Any) -> None:
        calls.append((_where(), sender, sorted(named)))

    async def async_receiver(sender: Any, **named: Any) -> None:
        await asyncio.sleep(0)
        calls.append((_where(), sender, sorted(named)))

    signal = getattr(signals, name)
    chosen = async_receiver if kind == "async" else receiver
    signal.connect(chosen)
    try:
        yield calls
    finally:
        assert signal.disconnect(chosen)


@pytest.mark.parametrize("handler", [ASGIHandler, OwnHandler], ids=["django", "own"])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["/", "/hello_sync/", "/query/", "/fails/", "/stream/"])
def test_a_receiver_is_called_where_and_with_what_stock_calls_it(
    path: str, name: str, kind: str, handler: type[ASGIHandler]
) -> None:
    """Once, in a thread if it is sync, with the same sender: connected before the handler."""
    calls = {}
    for on in (False, True):
        with relieved(on=on), connected(name, kind) as calls[on]:
            answer_of(handler(), path)

    assert calls[True] == calls[False]
    # Stock sends got_request_exception with None.
    senders = {sender for _where, sender, _named in calls[True]}
    assert senders <= ({None} if name == "got_request_exception" else {handler})


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("name", NAMES)
def test_a_receiver_connected_after_the_handler_was_built_is_called(name: str, kind: str) -> None:
    """They are looked at when the signal is sent."""
    calls = {}
    for on in (False, True):
        with relieved(on=on):
            handler = ASGIHandler()
            answer_of(handler, "/fails/")
            with connected(name, kind) as calls[on]:
                answer_of(handler, "/fails/")
            answer_of(handler, "/fails/")

    assert calls[True] == calls[False]
    assert len(calls[True]) == 1


def test_a_receiver_for_another_sender_is_not_called(both: bool) -> None:
    """And does not cost the request its relief."""

    def receiver(**_named: object) -> None:
        said.append("called")

    with relieved(on=both):
        signals.request_finished.connect(receiver, sender=OwnHandler)
        try:
            answer_of(ASGIHandler(), "/")
            first = list(said)
            answer_of(OwnHandler(), "/")
        finally:
            signals.request_finished.disconnect(receiver, sender=OwnHandler)

    assert (first, said) == ([], ["called"])


def test_a_receiver_of_request_finished_shares_the_threads_with_the_view(both: bool) -> None:
    """What it reads from a `threading.local` of the request is there."""
    seen: list[int] = []

    def receiver(**_named: object) -> None:
        seen.append(threading.get_ident())

    with relieved(on=both):
        signals.request_finished.connect(receiver)
        try:
            answer_of(ASGIHandler(), "/two_queries/")
        finally:
            signals.request_finished.disconnect(receiver)

    assert seen == said[:1] == said[1:]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_receiver_that_raises_is_treated_as_stock_treats_it() -> None:
    """Stock lets it through to the server."""

    def receiver(**_named: object) -> None:
        raise LookupError("receiver")

    raised = {}
    for on in (False, True):
        with relieved(on=on):
            for name in ("request_started", "request_finished"):
                signal = getattr(signals, name)
                signal.connect(receiver)
                try:
                    raised[on, name] = repr(answer_of(ASGIHandler(), "/").raised)
                finally:
                    signal.disconnect(receiver)

    # Before 6.1 stock leaves the body open then; it is collected here, where that is expected.
    gc.collect()
    assert raised[True, "request_started"] == raised[False, "request_started"]
    assert raised[True, "request_finished"] == raised[False, "request_finished"]
    assert "LookupError" in raised[True, "request_started"]


def test_the_receivers_are_the_same_objects_with_relief() -> None:
    """Test clients and CaptureQueriesContext take them off and on by identity."""
    before = {name: list(getattr(signals, name).receivers) for name in NAMES}
    with relieved():
        inside = {name: list(getattr(signals, name).receivers) for name in NAMES}
        answer_of(ASGIHandler(), "/")
    after = {name: list(getattr(signals, name).receivers) for name in NAMES}

    assert before == inside == after


@pytest.mark.parametrize("path", ["/", "/query/", "/stream/"])
@pytest.mark.parametrize(
    "make",
    [ASGIHandler, OwnHandler, lambda: ASGIStaticFilesHandler(ASGIHandler())],
    ids=["django", "own", "static"],
)
def test_the_response_knows_the_class_that_stock_would_name(
    path: str, make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`response._handler_class` is what `request_finished` is sent with."""
    senders = {}
    for on in (False, True):
        with relieved(on=on), connected("request_finished", "sync") as calls:
            answer_of(make(), path)
        senders[on] = [sender for _where, sender, _named in calls]

    assert senders[True] == senders[False] != []
