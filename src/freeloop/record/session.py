"""One recorded request, from the first hook put in to the sealed trace."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from freeloop.model.trace import LaneKind, MarkKind, Recorded, Trace, TraceEnvironment
from freeloop.record import asgi, wsgi
from freeloop.record.assemble import assemble
from freeloop.record.clock import wall_ns
from freeloop.record.lines import MOST_OF_ONE_LINE, Lines, project_codes
from freeloop.record.loop_stack import LoopStack
from freeloop.record.monitor import Monitor
from freeloop.record.places import Spot
from freeloop.record.policy import recorded_loop, recording_loops
from freeloop.record.recorder import MOST_MARKS, MOST_STEPS, LaneState, Recorder
from freeloop.record.request import Answered, Asked
from freeloop.record.steps import Driver
from freeloop.record.values import shown_error
from freeloop.record.watch import Watch, version_of

TIMEOUT_S = 30.0
# For code that was cancelled, to end.
GRACE_S = 5.0
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Options:
    """How a request is recorded.

    Attributes:
        root: The project's directory; code below it is the project's own.
        lines: Whether line steps are wanted.
        warm_up: Whether the request runs once before, unrecorded.
        timeout_s: How long it may take.
        leave_after_s: When the client closes the connection; None if it waits for the answer.
        database: One line for each database, for the trace.
        most_marks: Cap.
        most_steps: Cap.
        keep: Whether the parts of the body are kept, for comparisons.
    """

    root: str
    lines: bool = True
    warm_up: bool = True
    timeout_s: float = TIMEOUT_S
    leave_after_s: float | None = None
    database: tuple[str, ...] = ()
    most_marks: int = MOST_MARKS
    most_steps: int = MOST_STEPS
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """A trace, and the answer that it tells of."""

    trace: Trace
    answered: Answered


def record_asgi(application: Any, asked: Asked, options: Options) -> Recording:
    """Record one request through an ASGI application, on an event loop of its own."""
    recorder = _recorder(options)
    loop = recorded_loop(recorder)
    try:
        answered, environment = loop.run_until_complete(
            _record_asgi(application, asked, options, recorder)
        )
    finally:
        _close(loop)
    return _sealed(recorder, asked, answered, environment, "asgi")


def record_wsgi(application: Any, asked: Asked, options: Options) -> Recording:
    """Record one request through a WSGI application, on a thread of its own."""
    recorder = _recorder(options)
    if options.warm_up:
        _in_thread(lambda: wsgi.answer(application, asked, Answered()), options.timeout_s)
    answered = Answered()
    with _watching(recorder, options) as environment:
        lane = recorder.new_lane(LaneKind.THREAD, "request", None)

        def first_byte() -> None:
            recorder.point(MarkKind.FIRST_BYTE, lane)

        def serve() -> None:
            with _on_thread(recorder, lane, asked, answered):
                wsgi.answer(application, asked, answered, first_byte=first_byte, keep=options.keep)

        if not _in_thread(serve, options.timeout_s):
            answered.error = answered.error or _too_long(options)
    return _sealed(recorder, asked, answered, environment, "wsgi")


async def _record_asgi(
    application: asgi.Application, asked: Asked, options: Options, recorder: Recorder
) -> tuple[Answered, _Environment]:
    lifespan = asgi.Lifespan(application)
    await lifespan.start()
    try:
        if options.warm_up:
            await _warm_up(application, asked, options)
        exchange = asgi.Exchange(asked, keep=options.keep)
        with _watching(recorder, options) as environment:
            await _serve(application, exchange, options, recorder)
        return exchange.answered, environment
    finally:
        await lifespan.stop()


async def _warm_up(application: asgi.Application, asked: Asked, options: Options) -> None:
    exchange = asgi.Exchange(asked)
    task = asyncio.ensure_future(_plain(application, exchange))
    done, _ = await asyncio.wait({task}, timeout=options.timeout_s)
    if not done:
        task.cancel()
        await asyncio.wait({task}, timeout=GRACE_S)
    elif not task.cancelled():
        task.exception()  # looked at: the recorded request will raise it again


async def _plain(application: asgi.Application, exchange: asgi.Exchange) -> None:
    await application(exchange.scope(), exchange.receive, exchange.send)


async def _serve(
    application: asgi.Application,
    exchange: asgi.Exchange,
    options: Options,
    recorder: Recorder,
) -> None:
    """Run the request as a task whose coroutine is driven by ours."""
    loop = asyncio.get_running_loop()
    lane = recorder.new_lane(LaneKind.TASK, "request", None)
    exchange.first_byte = lambda: recorder.point(MarkKind.FIRST_BYTE, lane)
    samples = LoopStack(recorder)
    samples.start()
    try:
        inner = _plain(application, exchange)
        asked = f"{exchange.asked.method} {exchange.asked.shown}"
        recorder.active = True
        span = recorder.begin(MarkKind.REQUEST, lane, asked, clocks=True, around=False)
        # Not by the loop's method: that would give the request a second lane.
        task = asyncio.Task(Driver(inner, recorder, lane, span), loop=loop, name="request")
        if options.leave_after_s is not None:
            loop.call_later(options.leave_after_s, exchange.leave)
        await _until_done(task, exchange.answered, options)
    finally:
        recorder.active = False
        samples.stop()


async def _until_done(task: asyncio.Task[Any], answered: Answered, options: Options) -> None:
    done, _ = await asyncio.wait({task}, timeout=options.timeout_s)
    if not done:
        answered.error = _too_long(options)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=GRACE_S)
    if not done or answered.error:
        return
    if task.cancelled():
        answered.error = "asyncio.CancelledError"
    elif (error := task.exception()) is not None:
        answered.error = shown_error(error)


@contextmanager
def _on_thread(
    recorder: Recorder, lane: LaneState, asked: Asked, answered: Answered
) -> Iterator[None]:
    """Mark this thread's whole stretch as the request."""
    thread = threading.get_ident()
    recorder.adopt_thread(lane)
    recorder.here[thread] = lane
    recorder.active = True
    shown = f"{asked.method} {asked.shown}"
    request = recorder.begin(MarkKind.REQUEST, lane, shown, clocks=True, around=False)
    run = recorder.begin(MarkKind.RUN, lane, clocks=True, around=False)
    lane.run = run.id if run else None
    try:
        yield
    except Exception as error:
        answered.error = shown_error(error)
    finally:
        recorder.end(run, clocks=True)
        recorder.end(request, clocks=True)
        recorder.active = False
        recorder.here.pop(thread, None)


def _in_thread(call: Callable[[], object], timeout_s: float) -> bool:
    """Run a call on a thread as a server would, and return whether it ended in time."""

    def run() -> None:
        try:
            call()
        except Exception:  # noqa: BLE001, S110, RUF100 - the recorded request will raise it again
            return

    thread = threading.Thread(target=run, name="request", daemon=True)
    thread.start()
    thread.join(timeout_s)
    return not thread.is_alive()


@dataclass(slots=True)
class _Environment:
    """What is known of the surroundings when everything is taken away again."""

    watch: Watch
    options: Options
    mark_cost_ns: int


@contextmanager
def _watching(recorder: Recorder, options: Options) -> Iterator[_Environment]:
    """Put everything in for the block, and take it out."""
    environment = _Environment(Watch(recorder, Monitor(recorder)), options, recorder.mark_cost_ns())
    watch = environment.watch
    try:
        watch.install()
        if options.lines:
            watch.monitor.step(project_codes(recorder), Lines(recorder))
        with recording_loops(recorder):
            yield environment
    finally:
        recorder.active = False
        recorder.stopped_ns = wall_ns()
        watch.remove()


def _sealed(
    recorder: Recorder, asked: Asked, answered: Answered, environment: _Environment, interface: str
) -> Recording:
    request = Recorded(
        method=asked.method,
        path=asked.shown,
        route=recorder.route,
        view=recorder.view,
        async_view=recorder.async_view,
        interface=interface,
        relieved=_relieved(),
        status=answered.status,
        sent_bytes=answered.sent_bytes,
        streamed=answered.streamed,
        error=answered.error,
    )
    return Recording(assemble(recorder, request, _told(recorder, environment)), answered)


def _told(recorder: Recorder, environment: _Environment) -> TraceEnvironment:
    from django.conf import settings

    watch = environment.watch
    off = dict(watch.off)
    lines = watch.monitor.lines
    if lines is not None and (often := lines.cut_short()):
        off["lines"] = _cut_short(recorder, often)
    if recorder.faults:
        off["recorder"] = f"{len(recorder.faults)} faults of its own: {recorder.faults[0]}"
    if not recorder.queue.known:
        off["run-queue"] = "this system does not tell how long a thread waits for a core"
    return TraceEnvironment(
        recorded_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        versions={
            "python": platform.python_version(),
            "django": version_of("django"),
            "asgiref": version_of("asgiref"),
            **{name: version for name, version in watch.versions.items() if version},
        },
        cores=os.cpu_count() or 1,
        middleware=tuple(settings.MIDDLEWARE),
        database=environment.options.database,
        mark_cost_ns=environment.mark_cost_ns,
        probes_off=off,
        dropped=recorder.marks.dropped + recorder.steps.dropped + recorder.samples.dropped,
    )


def _cut_short(recorder: Recorder, often: list[Spot]) -> str:
    places = [recorder.places.resolve(spot) for spot in often[:MOST_NAMED]]
    shown = ", ".join(f"{place.path}:{place.line}" for place in places)
    more = f" and {len(often) - len(places)} more" if len(often) > len(places) else ""
    return f"only the first {MOST_OF_ONE_LINE} steps of each line: {shown}{more}"


def _recorder(options: Options) -> Recorder:
    return Recorder(options.root, most_marks=options.most_marks, most_steps=options.most_steps)


def _relieved() -> bool:
    relief = sys.modules.get("freeloop.relief")
    return relief is not None and bool(relief.installed_parts())


def _too_long(options: Options) -> str:
    return f"stopped by freeloop: no end within {options.timeout_s:g} s"


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """End the loop as `asyncio.run` does."""
    try:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=GRACE_S))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
