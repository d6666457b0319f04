"""The watch on loops of this process: what it reports, and that nobody else notices it."""

from __future__ import annotations

import asyncio
import inspect
import selectors
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
import uvloop

from freeloop import watch
from freeloop.watch import reports
from freeloop.watch.stacks import stack_of
from freeloop.watch.stretch import Cause, Kind, Stretch
from freeloop.watch.watchdog import watchdog
from tests.watch.sinks.stretches import stretch

HOLD_S = 0.08
LOOPS = [
    asyncio.new_event_loop,
    uvloop.new_event_loop,
]
on_both_loops = pytest.mark.parametrize("new_loop", LOOPS, ids=["asyncio", "uvloop"])


def scope(path: str = "/pay/", kind: str = "http") -> dict[str, Any]:
    return {"type": kind, "path": path, "query_string": b"card=1234"}


async def holding(scope: Any, receive: Any, send: Any) -> None:
    time.sleep(HOLD_S)
    await asyncio.sleep(0)


async def waiting(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(HOLD_S)


def run(application: Any, new_loop: Any = asyncio.new_event_loop, *, requests: int = 1) -> None:
    """Ask the application on a loop of its own, and stay until the watchdog has looked."""

    async def main() -> None:
        for _ in range(requests):
            await asyncio.create_task(application(scope(), None, None), name="request")
            await asyncio.sleep(0.05)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
    watchdog.stop()


def blocks(seen: list[Stretch]) -> list[Stretch]:
    """Return what code is blamed for: a busy machine may add the host's delays."""
    return [each for each in seen if each.kind is Kind.BLOCK]


@on_both_loops
def test_a_block_is_reported_once_with_line_path_and_task(
    new_loop: Any, seen: list[Stretch]
) -> None:
    run(watch.asgi(holding, on_report=seen.append), new_loop, requests=3)

    found = blocks(seen)
    assert len(found) == 3
    for each in found:
        assert each.cause is Cause.WAIT
        assert each.line is not None
        assert (each.line[0], each.line[2]) == (__file__, "holding")
        assert (each.path, each.task) == ("/pay/", "request")
        assert each.ms > HOLD_S * 500
        assert each.confidence > 0.5
        assert "1234" not in each.to_json()


@on_both_loops
def test_a_view_that_waits_is_passed_over(new_loop: Any, seen: list[Stretch]) -> None:
    run(watch.asgi(waiting, on_report=seen.append), new_loop, requests=3)

    assert blocks(seen) == []


def test_the_application_runs_without_a_frame_of_the_watch(seen: list[Stretch]) -> None:
    stacks: list[list[str]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        stacks.append([each.function for each in inspect.stack()])

    run(application)
    run(watch.asgi(application, on_report=seen.append))

    assert stacks[0] == stacks[1]


def test_servers_take_the_wrapper_for_an_asgi_3_application(seen: list[Stretch]) -> None:
    assert inspect.iscoroutinefunction(watch.asgi(holding, on_report=seen.append))


def test_what_the_application_raises_is_raised(seen: list[Stretch]) -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        run(watch.asgi(fails, on_report=seen.append))


def test_every_hook_is_taken_back(seen: list[Stretch]) -> None:
    """And a hook that somebody else had put there first stays, and was called."""
    calls: list[float | None] = []
    selector = selectors.DefaultSelector()
    stock = selector.select

    def counting(timeout: float | None = None) -> Any:
        calls.append(timeout)
        return stock(timeout)

    selector.select = counting  # type: ignore[method-assign]
    hooks: list[Any] = []

    async def looks(scope: Any, receive: Any, send: Any) -> None:
        hooks.append(vars(selector)["select"])
        await asyncio.sleep(0.01)

    def new_loop() -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(selector)

    run(watch.asgi(looks, on_report=seen.append), new_loop)

    assert hooks[0] is not counting
    assert vars(selector)["select"] is counting
    assert len(calls) > 2
    assert watchdog.loops == {}


def test_the_exception_handler_that_was_there_still_hears_everything(seen: list[Stretch]) -> None:
    heard: list[str] = []

    async def loses(scope: Any, receive: Any, send: Any) -> None:
        async def fails() -> None:
            raise LookupError("nobody asks")

        asyncio.create_task(fails())  # noqa: RUF006
        await asyncio.sleep(0.01)

    application = watch.asgi(loses, on_report=seen.append)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours = loop.get_exception_handler()
        loop.set_exception_handler(lambda _, context: heard.append(context["message"]))
        theirs = loop.get_exception_handler()
        await asyncio.create_task(application(scope(), None, None))
        assert loop.get_exception_handler() not in (ours, theirs)
        await asyncio.to_thread(watchdog.stop)
        assert loop.get_exception_handler() is theirs

    asyncio.run(main())

    assert heard == ["Task exception was never retrieved"]
    lost = [each for each in seen if each.cause is Cause.LOST_EXCEPTION]
    assert [(each.line or ("", 0, ""))[2] for each in lost] == ["fails"]
    assert lost[0].path == "/pay/"


def test_loops_in_several_threads_are_all_watched(seen: list[Stretch]) -> None:
    application = watch.asgi(holding, on_report=seen.append)
    before = threading.active_count()

    async def main() -> None:
        for _ in range(3):
            await asyncio.create_task(application(scope(), None, None))
            await asyncio.sleep(0.05)

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(3)]
    for each in threads:
        each.start()
    most = threading.active_count()
    for each in threads:
        each.join()
    watchdog.stop()

    assert most <= before + len(threads) + 1
    # The loops share one interpreter lock: where a core is short, one may wait long for another.
    held = [each for each in blocks(seen) if each.line is not None and each.line[2] == "holding"]
    assert len(held) == 9


def test_the_thread_ends_with_the_last_loop_and_starts_with_the_next(seen: list[Stretch]) -> None:
    application = watch.asgi(waiting, on_report=seen.append)

    def running() -> int:
        return sum(each.name == "freeloop watch" for each in threading.enumerate())

    async def main() -> int:
        await asyncio.create_task(application(scope(), None, None))
        return running()

    for _ in range(2):
        assert asyncio.run(main()) == 1
        deadline = time.monotonic() + 5
        while running() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert running() == 0


def test_what_ran_before_the_first_request_is_the_start_up(seen: list[Stretch]) -> None:
    """A server that loads the project on its loop runs the project's imports there."""

    async def main() -> None:
        await asyncio.sleep(0)
        watch.asgi(waiting, on_report=seen.append)
        time.sleep(HOLD_S)
        await asyncio.sleep(0.05)

    asyncio.run(main())
    watchdog.stop()

    assert [each.path for each in blocks(seen)] == ["(start-up)"]


def test_a_listener_that_raises_harms_nobody(seen: list[Stretch]) -> None:
    def broken(_: Stretch) -> None:
        raise LookupError

    failed = reports.counts.failed
    application = watch.asgi(holding, on_report=broken)
    try:
        run(watch.asgi(application, on_report=seen.append))
    finally:
        reports.unlisten(broken)

    assert len(blocks(seen)) == 1
    assert reports.counts.failed > failed


def test_a_storm_of_reports_is_dropped_and_counted(seen: list[Stretch]) -> None:
    stretch = Stretch(Kind.BLOCK, Cause.WAIT, 30, (), None, None, None, 0.0, 1.0)
    dropped = reports.counts.dropped
    reports.listen(seen.append)

    for _ in range(10_000):
        reports.post(stretch)
    reports.hand_on()

    assert len(seen) < 1000
    assert reports.counts.dropped - dropped == 10_000 - len(seen)


def test_a_block_that_never_ends_is_told_while_it_goes_on(
    seen: list[Stretch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds in production; the same code with a shorter patience here."""
    from freeloop.watch import lookout

    monkeypatch.setattr(lookout, "_ENDLESS_NS", 200_000_000)
    end = threading.Event()

    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        end.wait(10)

    def told(stretch: Stretch) -> None:
        seen.append(stretch)
        end.set()

    run(watch.asgi(stuck, on_report=told))
    reports.unlisten(told)

    assert end.is_set()
    assert len(blocks(seen)) == 1


def test_a_closed_loop_is_forgotten(seen: list[Stretch]) -> None:
    application = watch.asgi(waiting, on_report=seen.append)
    for _ in range(5):
        with suppress(RuntimeError):
            run(application)

    assert watchdog.loops == {}


def test_a_hook_of_the_watch_is_nobodys_place() -> None:
    """Seen when the interpreter lock was long held: then the loop was at the end of its turn."""
    stacks: list[tuple[Any, ...]] = []

    def listener(_: Stretch) -> None:
        stacks.append(stack_of(sys._getframe(1)))

    reports.listen(listener)
    try:
        reports.post(stretch())
        reports.hand_on()
    finally:
        reports.unlisten(listener)

    assert stacks[0][0][2] == "test_a_hook_of_the_watch_is_nobodys_place"
