"""A call that asgiref hands to a request's executor answers the loop as one in a pool does."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest
import uvloop
from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async

from freeloop.relief import loop_answer
from freeloop.relief.loop_answer import LoopAnswer
from freeloop.relief.request_executor import RequestExecutor
from tests.relief.safety.started import until

POOLS: dict[str, Callable[[], Executor]] = {
    "pool": lambda: ThreadPoolExecutor(max_workers=1),
    "ours": RequestExecutor,
}
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


class Wrapping(asyncio.SelectorEventLoop):
    """A loop that does something of its own with what an executor returns."""

    def run_in_executor(  # type: ignore[override] # whatever its caller gives
        self, executor: Any, func: Any, *args: Any
    ) -> Any:
        """Wrap what comes back by hand."""
        return asyncio.wrap_future(executor.submit(func, *args), loop=self)


@pytest.fixture(params=sorted(LOOPS))
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[LoopAnswer]:
    """The answers that were made: that a test is about them has to be seen."""
    made: list[LoopAnswer] = []
    start = LoopAnswer.__init__

    def noted(self: LoopAnswer, of: asyncio.AbstractEventLoop) -> None:
        made.append(self)
        start(self, of)

    monkeypatch.setattr(LoopAnswer, "__init__", noted)
    return made


def ran[T](
    make_loop: Callable[[], asyncio.AbstractEventLoop],
    executor: Executor,
    main: Callable[[], Coroutine[Any, Any, T]],
) -> T:
    """Run inside a request whose executor this is."""

    async def request() -> T:
        async with asyncio.timeout(30), ThreadSensitiveContext() as context:
            SyncToAsync.context_to_thread_executor[context] = executor
            return await main()

    try:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            return runner.run(request())
    finally:
        executor.shutdown()


def seen_of(error: BaseException) -> tuple[type, str, list[str], str]:
    """What of an error a program can tell apart: itself, its frames' functions, its cause."""
    frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    return type(error), repr(error), frames, repr(error.__cause__)


def outcomes(loop: str, function: Callable[[], object]) -> dict[str, Any]:
    """What the call returns or raises, with each of the executors."""

    async def main() -> Any:
        try:
            return await sync_to_async(function)()
        except BaseException as error:
            return seen_of(error)

    return {name: ran(LOOPS[loop], make(), main) for name, make in POOLS.items()}


def test_what_a_call_returns(loop: str, answers: list[LoopAnswer]) -> None:
    assert outcomes(loop, lambda: [1, 2]) == {"pool": [1, 2], "ours": [1, 2]}
    assert len(answers) == 1


@pytest.mark.parametrize(
    "error",
    [
        LookupError("here"),
        # Python 3.12 never answers this one, whoever hands it over.
        *([StopIteration("no future takes this")] if sys.version_info >= (3, 13) else []),
        concurrent.futures.CancelledError("of a future of the view's own"),
        concurrent.futures.InvalidStateError("likewise"),
        asyncio.CancelledError("by hand"),
        TimeoutError("late"),
        SystemExit(3),
    ],
    ids=lambda error: type(error).__module__ + "." + type(error).__name__,
)
def test_what_a_call_raises(loop: str, error: BaseException, answers: list[LoopAnswer]) -> None:
    def fails() -> None:
        raise error.with_traceback(None)

    seen = outcomes(loop, fails)

    assert seen["ours"] == seen["pool"]
    assert len(answers) == 1


@pytest.mark.parametrize("kind", sorted(POOLS))
def test_a_call_that_did_not_begin_is_not_made_after_a_cancellation(loop: str, kind: str) -> None:
    began, go_on = threading.Event(), threading.Event()
    made: list[str] = []

    def first() -> None:
        began.set()
        go_on.wait(20)
        made.append("first")

    async def main() -> None:
        holding = asyncio.create_task(sync_to_async(first)())
        await asyncio.to_thread(began.wait, 20)
        waiting = asyncio.create_task(sync_to_async(made.append)("second"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()
        await holding
        await sync_to_async(made.append)("third")

    ran(LOOPS[loop], POOLS[kind](), main)

    assert made == ["first", "third"]


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises"])
@pytest.mark.parametrize("kind", sorted(POOLS))
def test_a_call_that_runs_is_left_to_run_after_a_cancellation(
    loop: str, kind: str, fails: bool
) -> None:
    began, go_on = threading.Event(), threading.Event()
    made: list[str] = []
    complaints: list[dict[str, Any]] = []

    def work() -> None:
        began.set()
        go_on.wait(20)
        made.append("done")
        if fails:
            raise LookupError("nobody asks any more")

    async def main() -> list[str]:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        task = asyncio.create_task(sync_to_async(work)())
        await asyncio.to_thread(began.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        early = list(made)
        go_on.set()
        await sync_to_async(int)()
        return early

    assert ran(LOOPS[loop], POOLS[kind](), main) == []
    assert made == ["done"]
    assert complaints == []


@pytest.mark.parametrize("kind", sorted(POOLS))
def test_a_loop_that_is_gone_is_told_nothing(
    loop: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread goes on after a server that did not wait for it, and ends in peace."""
    began, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> str:
        began.set()
        go_on.wait(20)
        done.set()
        return "too late"

    executor: Any = POOLS[kind]()
    running = LOOPS[loop]()

    async def main() -> None:
        context = ThreadSensitiveContext()
        SyncToAsync.context_to_thread_executor[context] = executor
        SyncToAsync.thread_sensitive_context.set(context)
        task = asyncio.create_task(sync_to_async(work)())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    running.run_until_complete(main())
    running.close()
    assert began.wait(20)
    go_on.set()
    assert done.wait(20)
    executor.shutdown()

    (thread,) = executor._threads
    until(lambda: not thread.is_alive())
    assert caplog.records == []


def test_a_call_that_is_dropped_at_the_end_is_told_so(loop: str, answers: list[LoopAnswer]) -> None:
    began, go_on = threading.Event(), threading.Event()
    executor = RequestExecutor()

    def first() -> None:
        began.set()
        go_on.wait(20)

    async def main() -> None:
        holding = asyncio.create_task(sync_to_async(first)())
        await asyncio.to_thread(began.wait, 20)
        dropped = asyncio.create_task(sync_to_async(print)("never"))
        await asyncio.sleep(0)
        executor.shutdown(wait=False, cancel_futures=True)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(dropped, 10)
        await holding

    ran(LOOPS[loop], executor, main)

    assert len(answers) == 2


@pytest.mark.parametrize("raised", [False, True], ids=["returned", "raised"])
@pytest.mark.parametrize("others", [0, 1])
def test_shield_is_told_in_the_same_turn_when_it_alone_waits(
    loop: str, raised: bool, others: int
) -> None:
    """Whatever somebody else hung on the future is called in order, when asyncio says."""

    async def main() -> tuple[list[str], bool]:
        answer = LoopAnswer(asyncio.get_running_loop())
        told: list[str] = []
        for _ in range(others):
            answer.future.add_done_callback(lambda _: told.append("another"))
        outer = asyncio.shield(answer.future)
        outer.add_done_callback(lambda _: told.append("whoever waits"))
        if raised:
            answer.set_exception(LookupError("here"))
        else:
            answer.set_result("done")
        await asyncio.sleep(0)
        at_once = outer.done()
        outcome: Any = (await asyncio.gather(outer, return_exceptions=True))[0]
        assert repr(outcome) == ("LookupError('here')" if raised else "'done'")
        return told, at_once

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        told, at_once = runner.run(main())

    assert told == [*["another"] * others, "whoever waits"]
    assert at_once == (others == 0)


def test_whoever_submits_by_hand_gets_a_future_of_threads(
    loop: str, answers: list[LoopAnswer]
) -> None:
    executor = RequestExecutor()

    async def main() -> tuple[object, object]:
        by_hand = executor.submit(int)
        through_the_loop = asyncio.get_running_loop().run_in_executor(executor, int)
        return type(by_hand), await asyncio.wrap_future(by_hand) + await through_the_loop

    assert ran(LOOPS[loop], executor, main) == (concurrent.futures.Future, 0)
    assert answers == []


@pytest.mark.parametrize("unknown", ["loop", "code"])
def test_where_what_comes_back_is_used_otherwise_it_is_a_future_of_threads(
    unknown: str, answers: list[LoopAnswer], monkeypatch: pytest.MonkeyPatch
) -> None:
    if unknown == "code":
        monkeypatch.setattr(loop_answer, "_KNOWN", False)
    make_loop = Wrapping if unknown == "loop" else asyncio.new_event_loop

    assert ran(make_loop, RequestExecutor(), lambda: sync_to_async(lambda: "done")()) == "done"
    assert answers == []
