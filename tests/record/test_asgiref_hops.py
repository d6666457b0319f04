"""The hop probe: what it counts, on which side it puts the time, and that it leaves no trace."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from typing import Any

import pytest
from asgiref.sync import AsyncToSync, SyncToAsync, async_to_sync, sync_to_async

from freeloop.record.probes import asgiref_hops
from freeloop.record.probes.asgiref_hops import (
    Direction,
    Recorded,
    function_name,
    recording,
    watching,
)


def sleep_there(seconds: float) -> str:
    time.sleep(seconds)
    return "slept"


def patched() -> list[Any]:
    """What the probe stands in for."""
    return [
        SyncToAsync.__dict__["__call__"],
        AsyncToSync.__dict__["__call__"],
        threading.Thread.start,
    ]


def test_both_directions_are_counted_with_their_functions() -> None:
    """A hop to a thread from which code hops back to the loop."""

    async def there() -> str:
        return "back"

    def middle() -> str:
        return async_to_sync(there)()

    async def request() -> Recorded:
        with recording() as recorded:
            assert await sync_to_async(middle)() == "back"
        return recorded

    with watching():
        recorded = asyncio.run(request())

    assert [(hop.direction, hop.function.rpartition(".")[2]) for hop in recorded.hops] == [
        (Direction.TO_THREAD, "middle"),
        (Direction.TO_LOOP, "there"),
    ]
    assert recorded.count(Direction.TO_LOOP) == 1


def test_queueing_is_told_from_running() -> None:
    """The second call waits for the one thread that the first one holds."""

    async def request() -> Recorded:
        with recording() as recorded:
            call = sync_to_async(sleep_there)
            await asyncio.gather(call(0.1), call(0.1))
        return recorded

    with watching():
        first, second = asyncio.run(request()).hops

    assert first.queued_ns is not None
    assert first.run_ns is not None
    assert second.queued_ns is not None
    assert first.run_ns >= 100_000_000
    assert second.queued_ns >= first.run_ns > first.queued_ns


def test_requests_at_once_are_kept_apart_though_they_share_an_object() -> None:
    """Django keeps one `SyncToAsync` for each `process_view` of the whole process."""
    shared = sync_to_async(sleep_there, thread_sensitive=False)

    async def request(hops: int) -> Recorded:
        with recording() as recorded:
            for _ in range(hops):
                await shared(0.001)
        return recorded

    async def every() -> list[Recorded]:
        return await asyncio.gather(*(request(hops) for hops in range(5)))

    with watching():
        counted = asyncio.run(every())

    assert [len(each.hops) for each in counted] == [0, 1, 2, 3, 4]
    assert all(hop.run_ns for each in counted for hop in each.hops)


def test_a_function_that_raises_ends_its_hop() -> None:
    """The exception goes on as it is."""

    def fail() -> None:
        raise LookupError("gone")

    async def request() -> Recorded:
        with recording() as recorded, pytest.raises(LookupError, match="gone"):
            await sync_to_async(fail)()
        return recorded

    with watching():
        (hop,) = asyncio.run(request()).hops

    assert hop.run_ns is not None


def test_a_hop_that_is_cancelled_before_it_starts_has_no_run_time() -> None:
    """It waits for a thread that another call holds."""

    async def request() -> Recorded:
        with recording() as recorded:
            holder = asyncio.create_task(sync_to_async(sleep_there)(0.2))
            await asyncio.sleep(0.05)
            waiting = asyncio.create_task(sync_to_async(sleep_there)(0))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(holder, waiting, return_exceptions=True)
        return recorded

    with watching():
        _, cancelled = asyncio.run(request()).hops

    assert (cancelled.queued_ns, cancelled.run_ns) == (None, None)


def test_threads_are_counted_where_they_are_started() -> None:
    """Outside of a recording nothing is counted."""

    def start() -> None:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

    with watching():
        start()
        with recording() as recorded:
            start()
            start()

    assert recorded.threads == 2


def test_nothing_stays_patched_also_when_watchers_overlap() -> None:
    """Two requests traced at once; the last one takes the probe out."""
    before = patched()

    with watching():
        with watching():
            assert patched() != before
        assert patched() != before

    assert patched() == before


def test_what_somebody_put_over_the_probe_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A monitoring tool that wraps at run time is not undone, and calls through to stock."""
    before = SyncToAsync.__dict__["__call__"]
    monkeypatch.setattr(SyncToAsync, "__call__", before)  # puts stock back after the test

    with watching():
        ours = SyncToAsync.__dict__["__call__"]

        @functools.wraps(ours)
        async def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await ours(self, *args, **kwargs)

        SyncToAsync.__call__ = theirs  # type: ignore[method-assign]

    assert SyncToAsync.__dict__["__call__"] is theirs
    assert asyncio.run(sync_to_async(sleep_there)(0)) == "slept"


def test_hops_above_the_cap_are_counted_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that never ends must not fill the memory."""
    monkeypatch.setattr(asgiref_hops, "MOST_HOPS", 2)

    async def request() -> Recorded:
        with recording() as recorded:
            for _ in range(5):
                await sync_to_async(sleep_there)(0)
        return recorded

    with watching():
        recorded = asyncio.run(request())

    assert (len(recorded.hops), recorded.dropped) == (2, 3)


def test_a_name_is_found_below_decorators_and_never_by_repr() -> None:
    """`repr` of a bound method of a queryset runs a query."""

    class Loud:
        def __repr__(self) -> str:
            raise AssertionError("repr was called")

        def __call__(self) -> None:
            return None

        def method(self) -> None:
            return None

    @functools.wraps(sleep_there)
    def wrapper(seconds: float) -> str:
        return sleep_there(seconds)

    here = __name__
    assert function_name(functools.partial(wrapper, 1)) == f"{here}.sleep_there"
    assert function_name(Loud()).endswith("<locals>.Loud")
    assert function_name(Loud().method).endswith("<locals>.Loud.method")

    endless: Any = functools.partial(wrapper)
    wrapper.__wrapped__ = wrapper
    assert function_name(endless) == f"{here}.sleep_there"


def test_a_subclass_of_asgirefs_adapter_keeps_its_own_ways() -> None:
    """Channels' `database_sync_to_async` does work of its own in the thread."""
    seen: list[str] = []

    class Own(SyncToAsync[Any, Any]):
        def thread_handler(self, *args: Any, **kwargs: Any) -> Any:
            seen.append(threading.current_thread().name)
            return super().thread_handler(*args, **kwargs)  # type: ignore[no-untyped-call]

    async def request() -> Recorded:
        with recording() as recorded:
            assert await Own(sleep_there)(0) == "slept"
        return recorded

    with watching():
        recorded = asyncio.run(request())

    assert len(seen) == len(recorded.hops) == 1


def test_both_ways_of_naming_a_middleware_in_a_hop_agree() -> None:
    """Django wraps each link of the chain; the trace and relief's count name what is inside."""
    from django.core.handlers.exception import convert_exception_to_response

    from freeloop.record import names

    class Layer:
        def __call__(self, request: Any) -> Any:
            return request

    link = convert_exception_to_response(Layer())

    assert names.function_name(link) == function_name(link)
    assert function_name(link).endswith("<locals>.Layer")
