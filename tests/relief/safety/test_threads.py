"""How many threads a request has, and that they end."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from asgiref.sync import SyncToAsync
from django.core import signals
from django.core.handlers.asgi import ASGIHandler

from tests.relief.safety.exchange import Answer, answer_of, ask, on_a_loop, relieved
from tests.relief.safety.project.told import let_go, said
from tests.relief.safety.started import request_threads, until


def test_an_async_request_with_the_default_middleware_starts_no_thread(
    started: list[threading.Thread],
) -> None:
    """Stock starts one or two; that is what relief is for."""
    with relieved():
        answer = answer_of(ASGIHandler())

    assert (answer.status, answer.body) == (200, b"hello GET")
    assert request_threads(started) == []


@pytest.mark.parametrize(
    "path", ["/hello_sync/", "/query/", "/query_sync/", "/two_queries/", "/visits/"]
)
def test_a_request_that_needs_a_thread_has_one_and_it_ends(
    path: str, started: list[threading.Thread]
) -> None:
    """One thread for all sync work of a request, as stock has it, and none to join it."""
    with relieved():
        answer = answer_of(ASGIHandler(), path)

    assert answer.status == 200
    assert len(request_threads(started)) == 1
    until(lambda: not any(thread.is_alive() for thread in request_threads(started)))


def test_all_sync_work_of_a_request_runs_in_the_same_thread(both: bool) -> None:
    """`threading.local` and the connection depend on it."""
    with relieved(on=both):
        assert answer_of(ASGIHandler(), "/two_queries/").status == 200

    first, second = said
    assert first == second


def test_waiting_async_requests_hold_no_thread(started: list[threading.Thread]) -> None:
    """500 of them; in stock each holds one."""

    async def main() -> tuple[list[Answer], int]:
        handler = ASGIHandler()
        asked = [asyncio.create_task(ask(handler, "/wait/")) for _ in range(500)]
        while len(said) < 500:
            await asyncio.sleep(0.01)
        held = len(request_threads(started))
        let_go.set()
        return await asyncio.gather(*asked), held

    with relieved():
        answers, held = on_a_loop(main)

    assert {answer.body for answer in answers} == {b"waited"}
    assert held == 0


def test_two_requests_at_once_have_two_threads(both: bool) -> None:
    """A thread that serves two would show one the `threading.local` of the other."""

    async def main() -> list[Answer]:
        handler = ASGIHandler()
        return await asyncio.gather(*(ask(handler, "/two_queries/") for _ in range(5)))

    with relieved(on=both):
        answers = on_a_loop(main)

    assert [answer.status for answer in answers] == [200] * 5
    assert len(set(said)) == 5


def test_no_executor_is_kept_after_the_requests(both: bool) -> None:
    """Asgiref keeps them by request; what stays there is a thread that never ends."""
    from asgiref.sync import SyncToAsync

    before = len(SyncToAsync.context_to_thread_executor)
    with relieved(on=both):
        handler = ASGIHandler()
        for path in ("/", "/query/", "/fails/", "/endless-does-not-exist/"):
            answer_of(handler, path)

    assert len(SyncToAsync.context_to_thread_executor) == before


@pytest.mark.parametrize("call", ["asgiref's", "somebody's"])
def test_a_task_that_outlives_its_request_goes_on_while_the_response_is_closed(
    call: str, both: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request's thread ends with the closing; who needs one after that is given a fresh one."""
    closed_in: list[int] = []

    def closing(**_signal: object) -> None:
        closed_in.append(threading.get_ident())
        time.sleep(0.05)

    if call == "somebody's":
        stock = SyncToAsync.__call__

        async def late(self: SyncToAsync[..., object], *args: object, **kwargs: object) -> object:
            for _ in range(3):
                await asyncio.sleep(0)
            return await stock(self, *args, **kwargs)

        monkeypatch.setattr(SyncToAsync, "__call__", late)

    async def main() -> tuple[Answer, int]:
        answer = await ask(ASGIHandler(), "/leaves_a_task/")
        await asyncio.sleep(0.02)
        let_go.set()
        return answer, await said[1]

    signals.request_finished.connect(closing)
    try:
        with relieved(on=both):
            answer, calls = on_a_loop(main)
    finally:
        assert signals.request_finished.disconnect(closing)

    assert answer.status == 200
    assert calls > 1
    assert closed_in == [said[0]]
