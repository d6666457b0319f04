"""A request's thread is started without waiting for it, and is otherwise the thread of stock."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings

from freeloop import relief
from freeloop.relief import request_thread
from freeloop.relief.request_thread import RequestThread
from freeloop.relief.thread_start import RequestExecutor, RequestThreadStart
from tests.relief.safety.exchange import Answer, answer_of, ask, on_a_loop, relieved
from tests.relief.safety.started import request_threads, until

LATE_S = 0.3


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """New request threads do not get to run until this is set, as on a machine that is busy."""
    runs = threading.Event()
    begin: Any = threading.Thread._set_native_id  # type: ignore[attr-defined]

    def begin_late(thread: threading.Thread) -> None:
        if thread.name.startswith("ThreadPoolExecutor"):
            runs.wait(LATE_S)
        begin(thread)

    monkeypatch.setattr(threading.Thread, "_set_native_id", begin_late)
    yield runs
    runs.set()


def test_the_event_loop_goes_on_while_a_thread_starts(late: threading.Event, both: bool) -> None:
    """In stock it stands still until the thread runs."""

    async def main() -> tuple[Answer, bool]:
        asked = asyncio.create_task(ask(ASGIHandler(), "/hello_sync/"))
        while not (starting := _starting()) and not asked.done():
            await asyncio.sleep(0)
        late.set()
        return await asked, bool(starting)

    with relieved(on=both):
        answer, went_on = on_a_loop(main)

    assert answer.body == b"hello GET in a thread"
    assert went_on == both


def _starting() -> list[threading.Thread]:
    return [
        each
        for each in threading.enumerate()
        if each.name.startswith("ThreadPoolExecutor") and each.native_id is None
    ]


def test_the_thread_looks_like_stocks(started: list[threading.Thread], both: bool) -> None:
    """Its name is in log records; debuggers and tools go by the others."""
    with relieved(on=both):
        assert answer_of(ASGIHandler(), "/hello_sync/").status == 200

    thread = request_threads(started)[0]
    until(lambda: not thread.is_alive())
    prefix, _, number = thread.name.rpartition("_")
    assert (prefix.startswith("ThreadPoolExecutor-"), number) == (True, "0")
    assert not thread.daemon
    assert isinstance(thread, RequestThreadStart) == both


def test_hooks_on_all_threads_see_it(both: bool) -> None:
    """Coverage and debuggers set a profile or trace function for threads that start."""
    seen: set[str] = set()

    def profile(frame: Any, _event: str, _argument: Any) -> None:
        seen.add(frame.f_code.co_name)

    threading.setprofile(profile)
    try:
        with relieved(on=both):
            answer_of(ASGIHandler(), "/hello_sync/")
    finally:
        threading.setprofile(None)

    assert "hello_sync" in seen


def test_a_tool_that_wrapped_submit_is_called(monkeypatch: pytest.MonkeyPatch, both: bool) -> None:
    """OpenTelemetry and Sentry hand their context to the thread there."""
    called: list[object] = []
    submit = ThreadPoolExecutor.submit

    def wrapped(self: ThreadPoolExecutor, *args: Any, **kwargs: Any) -> Future[Any]:
        called.append(self)
        return submit(self, *args, **kwargs)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", wrapped)
    with relieved(on=both):
        answer_of(ASGIHandler(), "/hello_sync/")

    assert called


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

    answers = []
    with relieved(), override_settings(MIDDLEWARE=[]):
        handler = ASGIHandler()
        for executor in (None, RequestExecutor):
            with monkeypatch.context() as refusing:
                refusing.setattr(request_thread, "new_executor", executor)
                refusing.setattr(threading, name, refuse)
                answers.append(answer_of(handler, "/hello_sync/"))

    asgirefs, ours = answers
    assert repr(ours.raised) == repr(asgirefs.raised)
    assert ours.messages == asgirefs.messages
    assert "can't start new thread" in repr(asgirefs.raised)


def test_joining_waits_for_a_thread_that_does_not_run_yet(late: threading.Event) -> None:
    """Python joins all of them when the process ends, and refuses to join before they run."""
    executor = RequestExecutor()
    asked = executor.submit(threading.get_ident)
    (thread,) = executor._threads

    thread.join(0.01)
    assert not asked.done()
    late.set()
    executor.shutdown()

    assert not thread.is_alive()
    assert asked.result() == thread.ident


def test_a_process_that_ends_at_once_still_does_the_work() -> None:
    """At exit Python lets executors finish what they were given."""
    code = (
        "import os\n"
        "from freeloop.relief.thread_start import RequestExecutor\n"
        "kept = [RequestExecutor() for _ in range(50)]\n"
        "for number, each in enumerate(kept):\n"
        "    each.submit(os.write, 1, b'%d ' % number)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert sorted(map(int, ran.stdout.split())) == list(range(50))


def test_an_executor_that_was_given_nothing_has_nothing() -> None:
    """Tools look into the executors that asgiref keeps."""
    executor = RequestExecutor()

    assert (len(executor._threads), executor._work_queue.qsize()) == (0, 0)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(print)


@pytest.mark.parametrize(
    ("asked", "ours"),
    [({"SAMPLE": 0.0}, 0), ({"ENABLED": False}, 0), ({"VERIFY": True}, 1), ({}, 1)],
)
def test_a_request_that_is_answered_as_stock_has_stocks_thread(
    asked: dict[str, object], ours: int, started: list[threading.Thread]
) -> None:
    """With VERIFY one of three is relieved, and to nobody."""
    with override_settings(FREELOOP={"RELIEF": asked}), relieved():
        assert answer_of(ASGIHandler(), "/hello_sync/").body == b"hello GET in a thread"

    assert sum(isinstance(each, RequestThreadStart) for each in started) == ours


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


def test_a_python_that_starts_threads_otherwise_keeps_its_way(
    monkeypatch: pytest.MonkeyPatch, started: list[threading.Thread]
) -> None:
    """A tool, or another Python: all other parts are relieved."""
    stock = ThreadPoolExecutor._adjust_thread_count

    def own(self: ThreadPoolExecutor) -> None:
        stock(self)

    monkeypatch.setattr(ThreadPoolExecutor, "_adjust_thread_count", own)
    with relieved():
        assert "thread start" not in relief.installed_parts()
        assert answer_of(ASGIHandler(), "/hello_sync/").status == 200

    assert len(request_threads(started)) == 1
    assert not isinstance(request_threads(started)[0], RequestThreadStart)
