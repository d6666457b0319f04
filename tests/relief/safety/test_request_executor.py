"""The executor of a relieved request is lighter than a pool of one thread, and else like it."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings

from freeloop import relief
from freeloop.relief import request_executor, request_thread
from freeloop.relief.request_executor import RequestExecutor
from freeloop.relief.request_thread import RequestThread
from tests.relief.safety.exchange import answer_of, on_a_loop, relieved
from tests.relief.safety.started import request_threads, until

POOLS: dict[str, Callable[[], Executor]] = {
    "pool": lambda: ThreadPoolExecutor(max_workers=1),
    "ours": RequestExecutor,
}


@pytest.fixture(params=sorted(POOLS))
def executor(request: pytest.FixtureRequest) -> Any:
    """Python's pool of one thread, and ours: whatever holds of one holds of the other."""
    return POOLS[request.param]()


def test_calls_run_one_after_the_other_in_one_thread(executor: Any) -> None:
    asked = [executor.submit(threading.get_ident) for _ in range(50)]

    assert len({each.result() for each in asked}) == 1
    assert len(executor._threads) == 1
    executor.shutdown()


def test_its_thread_ends_after_the_work_that_it_was_given(executor: Any) -> None:
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.01)
        done.append(number)

    for number in range(5):
        executor.submit(work, number)
    executor.shutdown(wait=False)
    (thread,) = executor._threads
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        executor.submit(print)
    thread.join(20)

    assert not thread.is_alive()
    assert done == [0, 1, 2, 3, 4]


def test_waiting_for_the_end_waits(executor: Any) -> None:
    asked = executor.submit(time.sleep, 0.05)
    executor.shutdown()

    assert asked.done()
    assert not any(thread.is_alive() for thread in executor._threads)


def test_what_did_not_begin_can_be_cancelled(executor: Any) -> None:
    began, go_on = threading.Event(), threading.Event()

    def work() -> bool:
        began.set()
        return go_on.wait(20)

    first = executor.submit(work)
    one, rest = executor.submit(print), [executor.submit(print) for _ in range(3)]
    began.wait(20)
    assert one.cancel()
    executor.shutdown(wait=False, cancel_futures=True)
    go_on.set()

    assert first.result(20)
    for each in (one, *rest):
        with pytest.raises(CancelledError):
            each.result(20)
    executor.shutdown()


def test_what_a_call_raises_comes_back_with_pythons_own_frames(executor: Any) -> None:
    """A debug page shows them."""

    def fails() -> None:
        raise LookupError("here")

    error = executor.submit(fails).exception(20)
    executor.shutdown()

    names = []
    trace = error.__traceback__
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert repr(error) == "LookupError('here')"
    assert names == ["run", "fails"]


def test_a_lost_executor_ends_its_thread(executor: Any) -> None:
    """As when a request is dropped without being left."""
    kind = type(executor)
    lost = kind() if kind is RequestExecutor else kind(max_workers=1)
    asked = lost.submit(threading.current_thread)
    thread = asked.result(20)
    del lost, asked
    gc.collect()
    thread.join(20)

    assert not thread.is_alive()
    executor.shutdown()


def test_nothing_is_kept_between_two_calls(executor: Any) -> None:
    """What a call was given is freed when it is done, not when the next one comes."""

    class Given:
        pass

    given = Given()
    kept = weakref.ref(given)
    executor.submit(id, given).result(20)
    del given
    until(lambda: kept() is None)
    executor.shutdown()


def test_an_executor_that_was_given_nothing_has_nothing() -> None:
    ours = RequestExecutor()

    assert not ours.began
    assert len(ours._threads) == 0
    ours.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        ours.submit(print)


@pytest.mark.parametrize("kind", ["ThreadPoolExecutor(1)", "RequestExecutor()"])
def test_a_process_that_ends_at_once_still_does_the_work(kind: str) -> None:
    """At exit Python lets executors finish what they were given, and waits for idle ones."""
    code = (
        "import os\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from freeloop.relief.request_executor import RequestExecutor\n"
        f"kept = [{kind} for _ in range(50)]\n"
        "kept[0].submit(int).result()\n"
        "for number, each in enumerate(kept):\n"
        "    each.submit(os.write, 1, b'%d ' % number)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert sorted(map(int, ran.stdout.split())) == list(range(50))


def test_the_thread_looks_like_stocks(started: list[threading.Thread], both: bool) -> None:
    """Its name is in log records; tools go by the function that it runs."""
    with relieved(on=both):
        assert answer_of(ASGIHandler(), "/hello_sync/").status == 200

    thread = request_threads(started)[0]
    until(lambda: not thread.is_alive())
    prefix, _, number = thread.name.rpartition("_")
    assert (prefix.startswith("ThreadPoolExecutor-"), number) == (True, "0")
    assert type(thread) is threading.Thread
    assert not thread.daemon


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_tool_that_wrapped_submit_is_called(
    monkeypatch: pytest.MonkeyPatch, both: bool, when: str
) -> None:
    """OpenTelemetry and Sentry hand their context to the thread there."""
    called: list[object] = []
    submit = ThreadPoolExecutor.submit

    def wrapped(self: ThreadPoolExecutor, *args: Any, **kwargs: Any) -> Future[Any]:
        called.append(self)
        return submit(self, *args, **kwargs)

    if when == "before":
        monkeypatch.setattr(ThreadPoolExecutor, "submit", wrapped)
    with relieved(on=both):
        assert both == bool(relief.installed_parts())
        assert ("request executor" in relief.installed_parts()) == (both and when == "after")
        handler = ASGIHandler()
        monkeypatch.setattr(ThreadPoolExecutor, "submit", wrapped)
        assert answer_of(handler, "/hello_sync/").status == 200

    assert called
    assert not any(isinstance(each, RequestExecutor) for each in called)


def test_a_thread_that_cannot_start_fails_as_in_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine may have no thread left; relief with asgiref's executor and with its own."""
    name = next(
        each for each in ("_start_joinable_thread", "_start_new_thread") if hasattr(threading, each)
    )
    start = getattr(threading, name)

    def refuse(run: Any, *args: Any, **kwargs: Any) -> Any:
        if run.__self__.name.startswith("ThreadPoolExecutor"):
            raise RuntimeError("can't start new thread")
        return start(run, *args, **kwargs)

    async def main() -> str:
        async with RequestThread(relieved=True):
            try:
                return str(await sync_to_async(int)())
            except RuntimeError as error:
                return repr(error)

    answers = []
    with relieved():
        for make in (None, request_executor.new_executor):
            with monkeypatch.context() as refusing:
                refusing.setattr(request_thread, "new_executor", make)
                refusing.setattr(threading, name, refuse)
                answers.append(on_a_loop(main))

    asgirefs, ours = answers
    assert ours == asgirefs
    assert "can't start new thread" in asgirefs


@pytest.mark.parametrize(
    ("asked", "ours"),
    [({"SAMPLE": 0.0}, 0), ({"ENABLED": False}, 0), ({"VERIFY": True}, 1), ({}, 1)],
)
def test_a_request_that_is_answered_as_stock_has_asgirefs_executor(
    asked: dict[str, object], ours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With VERIFY one of three is relieved, and to nobody."""
    began: list[RequestExecutor] = []
    start = RequestExecutor._start

    def noted(self: RequestExecutor) -> None:
        began.append(self)
        start(self)

    monkeypatch.setattr(RequestExecutor, "_start", noted)
    with override_settings(FREELOOP={"RELIEF": asked}), relieved():
        assert answer_of(ASGIHandler(), "/hello_sync/").body == b"hello GET in a thread"

    assert len(began) == ours


def test_somebodys_own_executor_is_used(both: bool) -> None:
    """Whoever puts one in asgiref's table decides on the thread; relief does not go around it."""

    async def main() -> tuple[int, int]:
        own = ThreadPoolExecutor(max_workers=1)
        wanted = own.submit(threading.get_ident).result()
        async with RequestThread(relieved=both) as context:
            SyncToAsync.context_to_thread_executor[context] = own
            assert not context.untouched()
            return await sync_to_async(threading.get_ident)(), wanted

    with relieved(on=both):
        used, wanted = on_a_loop(main)

    assert used == wanted


def test_an_executor_that_was_not_used_is_no_thread() -> None:
    """So the request is as untouched as one for which asgiref has made none."""

    async def main() -> tuple[bool, bool, int]:
        before = len(SyncToAsync.context_to_thread_executor)
        async with RequestThread(relieved=True) as context:
            first = context.untouched()
            await asyncio.sleep(0)
            await sync_to_async(int)()
            return first, context.untouched(), before

    with relieved():
        assert on_a_loop(main) == (True, False, 0)
