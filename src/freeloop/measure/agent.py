"""Watch a Django application from inside its server, in the one observed round.

This file stands alone (standard library and Django only): `entry.py` loads it by path in the
project's own interpreter. It counts and times, and answers `reset` and `report` on a UNIX socket,
one for each worker process; `agent_client.py` asks. It never changes an answer except for one more
header, `Server-Timing`. Timed rounds run without it.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import contextvars
import functools
import json
import os
import socket
import sys
import sysconfig
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_SAMPLE_S = 0.005
_BLOCKED_NS = 15_000_000
_TIMER_S = 0.010
_SETTLE_NS = 1_000_000_000
# A thread that ran for less of a sampling interval was mostly waiting: its frame tells of the wait.
_ON_CPU_SHARE = 0.2
_REPORTED_PLACES = 20
# Innermost frames of a thread that waits for work; a burst just before must not count for them.
_WAITING = {
    *{("selectors.py", "select"), ("runners.py", "run"), ("threading.py", "wait")},
    *{("thread.py", "_worker"), ("base_events.py", "run_forever")},
}
_STDLIB = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib"))
_LIBRARIES = ("site-packages", "dist-packages")


class _Request:
    """The running totals of one request, for its Server-Timing header."""

    __slots__ = ("ended", "held_ns", "started_ns")

    def __init__(self) -> None:
        self.started_ns = time.perf_counter_ns()
        self.held_ns = 0
        self.ended = False


class _Totals:
    """Everything counted since the last `reset`."""

    def __init__(self, connections_held: int) -> None:
        self.requests = 0
        self.threads_started = 0
        self.connections_held = connections_held
        self.connections_opened = 0
        self.loop_held_ns = 0
        self.loop_cpu_ns = 0
        self.longest_hold_ns = 0
        self.loop_delay_ns = 0
        self.thread_held_ns = 0
        self.blocked_at: collections.Counter[str] = collections.Counter()
        self.cpu_ns: collections.Counter[str] = collections.Counter()


class _Agent:
    """The state of one observed process."""

    def __init__(self, root: str, sockets: str) -> None:
        self.root = str(Path(root).resolve()) + os.sep
        self.sockets = sockets
        self.pid = 0
        self.in_flight = 0
        self.interface = ""
        self.connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self.pool_limits: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        # Re-entrant: the collector may close a connection while a count is under way.
        self.lock = threading.RLock()
        self.totals = _Totals(0)
        # Thread to the start of the step that runs on it now.
        self.steps: dict[int, int] = {}
        # Thread to the kernel's id of it, for threads that Python did not start.
        self.foreign: dict[int, int] = {}
        self.own_threads: set[int] = set()
        self.loops: weakref.WeakSet[Any] = weakref.WeakSet()
        self.thread_cpu_ns: dict[int, int] = {}

    def watch_process(self) -> None:
        """Start the socket and the sampler, again in a process that was forked."""
        if self.pid == os.getpid():
            return
        self.pid = os.getpid()
        self.own_threads = set()
        for work in (self._serve, self._sample):
            threading.Thread(target=work, name=f"freeloop{work.__name__}", daemon=True).start()

    def reset(self) -> None:
        """Forget everything counted; what is open now is where the next count starts."""
        self.totals = _Totals(len(self.connections))
        self.thread_cpu_ns = {}

    def report(self) -> dict[str, Any]:
        """Return the totals as plain values; sums, so that processes can be added up."""
        totals = self.totals
        values = {name: value for name, value in vars(totals).items() if isinstance(value, int)}
        return {
            **values,
            "interface": self.interface,
            "pool_max": self._pool_max(),
            "blocked_at": dict(totals.blocked_at.most_common(_REPORTED_PLACES)),
            "cpu_ns": dict(totals.cpu_ns),
        }

    def opened(self, connection: object, *, new: bool) -> None:
        """Count a connection that is now in use."""
        with self.lock:
            self.connections.add(connection)
            self.totals.connections_opened += new
            held = len(self.connections)
            self.totals.connections_held = max(self.totals.connections_held, held)

    def closed(self, connection: object) -> None:
        """Count a connection out; one that nobody closes counts until it is collected."""
        with self.lock:
            self.connections.discard(connection)

    def _pool_max(self) -> int | None:
        from django.conf import settings

        limits = list(self.pool_limits.values())
        if not limits:
            for database in settings.DATABASES.values():
                pool = database.get("OPTIONS", {}).get("pool")
                if pool:
                    options = pool if isinstance(pool, dict) else {}
                    # psycopg_pool: 4 connections unless told, and no growth without max_size.
                    limits.append(options.get("max_size") or options.get("min_size", 4))
        return sum(limits) if limits else None

    def _serve(self) -> None:
        self.own_threads.add(threading.get_ident())
        path = f"{self.sockets}/agent-{self.pid}.sock"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            while True:
                client, _ = server.accept()
                # Whoever asks may be gone before the answer.
                with client, contextlib.suppress(OSError):
                    question = client.recv(64).strip()
                    self._let_requests_end()
                    answer = self.report()
                    if question == b"reset":
                        self.reset()
                    client.sendall(json.dumps(answer).encode())

    def _let_requests_end(self) -> None:
        # A client has its answer before the request has ended here.
        deadline_ns = time.perf_counter_ns() + _SETTLE_NS
        while self.in_flight and time.perf_counter_ns() < deadline_ns:
            time.sleep(_SAMPLE_S)

    def _sample(self) -> None:
        self.own_threads.add(threading.get_ident())
        before_ns = time.perf_counter_ns()
        while True:
            time.sleep(_SAMPLE_S)
            now_ns = time.perf_counter_ns()
            self._look(now_ns, now_ns - before_ns)
            before_ns = now_ns

    def _look(self, now_ns: int, interval_ns: int) -> None:
        # Frames are let go on return: they would keep the locals of requests alive.
        frames = sys._current_frames()
        for thread, started_ns in list(self.steps.items()):
            if now_ns - started_ns > _BLOCKED_NS and thread in frames:
                self.totals.blocked_at[self._place(frames[thread])] += 1
        self._share_cpu(frames, interval_ns)

    def _share_cpu(self, frames: dict[int, FrameType], interval_ns: int) -> None:
        native = {thread.ident: thread.native_id for thread in threading.enumerate()}
        current: dict[int, int] = {}
        for thread, frame in frames.items():
            kernel_id = native.get(thread) or self.foreign.get(thread)
            if kernel_id is None or thread in self.own_threads:
                continue
            try:
                # The clock of a thread of this process, by its kernel id; unlike
                # pthread_getcpuclockid it is safe when the thread has just ended.
                cpu_ns = time.clock_gettime_ns((~kernel_id << 3) | 6)
            except OSError:
                continue
            current[thread] = cpu_ns
            spent_ns = cpu_ns - self.thread_cpu_ns.get(thread, cpu_ns)
            if spent_ns > _ON_CPU_SHARE * interval_ns and not _waits(frame):
                self.totals.cpu_ns[self._package(frame)] += spent_ns
        self.thread_cpu_ns = current

    def _place(self, frame: FrameType) -> str:
        """Return "file:line function" of the deepest project frame, else of the deepest library."""
        library = ""
        for inner in _frames(frame):
            code = inner.f_code
            path = code.co_filename
            if path == __file__ or path.startswith("<"):
                continue
            if self._in_project(path):
                path = path.removeprefix(self.root)
                return f"{path}:{inner.f_lineno} {code.co_qualname}"
            if not library and _package_of(path):
                library = f"{_library_path(path)}:{inner.f_lineno} {code.co_qualname}"
        return library or f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"

    def _package(self, frame: FrameType) -> str:
        for inner in _frames(frame):
            path = inner.f_code.co_filename
            if path == __file__:
                continue
            if self._in_project(path):
                return "project"
            if package := _package_of(path):
                return package
        return "python"

    def _in_project(self, path: str) -> bool:
        return path.startswith(self.root) and not any(part in path for part in _LIBRARIES)


_agent: _Agent
_request: contextvars.ContextVar[_Request | None] = contextvars.ContextVar(
    "freeloop_request", default=None
)


def install(*, root: str, sockets: str) -> None:
    """Start watching this process; called before the application is made."""
    global _agent
    _agent = _Agent(root, sockets)
    _agent.watch_process()
    _count_threads()
    _count_connections()


def wrap_asgi(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return the ASGI application, watched; for tests also `application.__wrapped__`."""
    _agent.interface = "asgi"

    @functools.wraps(application, updated=())
    async def application_watched(scope: Any, receive: Any, send: Any) -> None:
        _watch_loop()
        if scope["type"] not in {"http", "websocket"}:
            await application(scope, receive, send)
            return
        request = _Request()
        token = _request.set(request)
        _agent.in_flight += 1

        async def send_with_timing(message: Any) -> None:
            if message["type"] == "http.response.start":
                header = (b"server-timing", _server_timing(request).encode())
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        try:
            await _Steps(application(scope, receive, send_with_timing), request)
        finally:
            request.ended = True
            with contextlib.suppress(ValueError):
                # A server that closes us at its end does so from another context.
                _request.reset(token)
            _agent.totals.requests += 1
            _agent.in_flight -= 1

    return application_watched


def wrap_wsgi(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return the WSGI application, watched: the thread is held until the body is closed."""
    _agent.interface = "wsgi"

    @functools.wraps(application, updated=())
    def application_watched(environ: Any, start_response: Any) -> Iterable[bytes]:
        _agent.watch_process()
        _agent.foreign[threading.get_ident()] = threading.get_native_id()
        request = _Request()
        with _agent.lock:
            _agent.in_flight += 1

        def start_with_timing(status: str, headers: Any, *error: Any) -> Any:
            timing = ("Server-Timing", _server_timing(request))
            return start_response(status, [*headers, timing], *error)

        try:
            body = application(environ, start_with_timing)
        except BaseException:
            _end_wsgi(request)
            raise
        return _Body(body, request)

    return application_watched


class _Body:
    """A WSGI body that tells when the server is done with it."""

    def __init__(self, body: Iterable[bytes], request: _Request) -> None:
        self.body = body
        self.request = request

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def close(self) -> None:
        try:
            if hasattr(self.body, "close"):
                self.body.close()
        finally:
            _end_wsgi(self.request)


def _end_wsgi(request: _Request) -> None:
    if not request.ended:
        request.ended = True
        with _agent.lock:
            _agent.in_flight -= 1
            _agent.totals.requests += 1
            _agent.totals.thread_held_ns += time.perf_counter_ns() - request.started_ns


def _server_timing(request: _Request) -> str:
    app_ms = (time.perf_counter_ns() - request.started_ns) / 1e6
    loop = ""
    if _agent.interface == "asgi":
        held_ns = request.held_ns
        if (started_ns := _agent.steps.get(threading.get_ident())) is not None:
            # The step that sends this header has not ended.
            held_ns += time.perf_counter_ns() - started_ns
        loop = f", loop;dur={held_ns / 1e6:.3f}"
    return f'app;dur={app_ms:.3f}{loop}, conn;desc="{len(_agent.connections)} open"'


class _Steps(Coroutine[Any, Any, Any]):
    """A coroutine that measures each of its steps: from a resume to the next suspension."""

    __slots__ = ("__name__", "__qualname__", "coroutine", "request")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], request: _Request) -> None:
        self.coroutine = coroutine
        self.request = request
        # Tasks and their tools show these.
        self.__name__ = getattr(coroutine, "__name__", type(coroutine).__name__)
        self.__qualname__ = getattr(coroutine, "__qualname__", self.__name__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.coroutine, name)

    def __await__(self) -> Any:
        return self

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self._step(self.coroutine.send, None)

    def send(self, value: Any) -> Any:
        return self._step(self.coroutine.send, value)

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        if value is None and trace is None:
            return self._step(self.coroutine.throw, kind)
        return self._step(self.coroutine.throw, kind, value, trace)

    def close(self) -> None:
        self.coroutine.close()

    def _step(self, act: Callable[..., Any], *values: Any) -> Any:
        thread, steps = threading.get_ident(), _agent.steps
        if thread in steps:
            # Inside another measured step, such as a task that starts eagerly.
            return act(*values)
        cpu_ns = time.thread_time_ns()
        steps[thread] = started_ns = time.perf_counter_ns()
        try:
            return act(*values)
        finally:
            del steps[thread]
            held_ns = time.perf_counter_ns() - started_ns
            totals = _agent.totals
            totals.loop_held_ns += held_ns
            totals.loop_cpu_ns += time.thread_time_ns() - cpu_ns
            totals.longest_hold_ns = max(totals.longest_hold_ns, held_ns)
            self.request.held_ns += held_ns


def _watch_loop() -> None:
    """Time the running loop and have it measure the tasks that requests start."""
    _agent.watch_process()
    loop = asyncio.get_running_loop()
    if loop in _agent.loops:
        return
    _agent.loops.add(loop)
    _agent.foreign[threading.get_ident()] = threading.get_native_id()
    given = loop.get_task_factory()

    def measured_task(loop: Any, coroutine: Any, **options: Any) -> Any:
        # A request's own tasks hold the loop for it: Django 5.2 and 6.0 run the view in one.
        context = options.get("context")
        request = context.get(_request) if context is not None else _request.get()
        if request is not None and not request.ended and asyncio.iscoroutine(coroutine):
            coroutine = _Steps(coroutine, request)
        if given is not None:
            return given(loop, coroutine, **options)
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(measured_task)

    def tick(due_ns: int) -> None:
        now_ns = time.perf_counter_ns()
        _agent.totals.loop_delay_ns = max(_agent.totals.loop_delay_ns, now_ns - due_ns)
        loop.call_later(_TIMER_S, tick, now_ns + int(_TIMER_S * 1e9))

    loop.call_later(_TIMER_S, tick, time.perf_counter_ns() + int(_TIMER_S * 1e9))


def _count_threads() -> None:
    start = threading.Thread.start

    @functools.wraps(start)
    def counted(self: threading.Thread) -> None:
        start(self)
        with _agent.lock:
            _agent.totals.threads_started += 1

    threading.Thread.start = counted  # type: ignore[method-assign] # the observed round only


def _count_connections() -> None:
    from django.db.backends.base.base import BaseDatabaseWrapper

    connect, close = BaseDatabaseWrapper.connect, BaseDatabaseWrapper.close

    @functools.wraps(connect)
    def connect_counted(self: Any) -> None:
        connect(self)
        if self.connection is not None and not _psycopg_pooled(self):
            _agent.opened(self, new=True)

    @functools.wraps(close)
    def close_counted(self: Any) -> None:
        close(self)
        if self.connection is None or self.closed_in_transaction:
            _agent.closed(self)

    BaseDatabaseWrapper.connect = connect_counted  # type: ignore[method-assign]
    BaseDatabaseWrapper.close = close_counted  # type: ignore[method-assign]
    # Imported now, not when the project does: a view may import it in its first request.
    with contextlib.suppress(ImportError):
        _count_pooled_connections()


def _psycopg_pooled(wrapper: Any) -> bool:
    return wrapper.vendor == "postgresql" and bool(getattr(wrapper, "pool", None))


def _count_pooled_connections() -> None:
    """Count connections of psycopg's pools while checked out, those of Django's pool included."""
    import psycopg
    import psycopg_pool

    for kind in (psycopg_pool.ConnectionPool, psycopg_pool.AsyncConnectionPool):
        _count_checkouts(kind)
    for opener in (psycopg.Connection, psycopg.AsyncConnection):
        # Pools open through the class; Django, without a pool, through a function bound earlier.
        _count_opening(opener)


def _count_checkouts(kind: Any) -> None:
    getconn, putconn = kind.getconn, kind.putconn

    def taken(pool: Any, connection: Any) -> Any:
        _agent.pool_limits[pool] = pool.max_size
        _agent.opened(connection, new=False)
        return connection

    async def getconn_async(self: Any, *args: Any, **options: Any) -> Any:
        return taken(self, await getconn(self, *args, **options))

    async def putconn_async(self: Any, connection: Any) -> None:
        _agent.closed(connection)
        await putconn(self, connection)

    def getconn_sync(self: Any, *args: Any, **options: Any) -> Any:
        return taken(self, getconn(self, *args, **options))

    def putconn_sync(self: Any, connection: Any) -> None:
        _agent.closed(connection)
        putconn(self, connection)

    waits = asyncio.iscoroutinefunction(getconn)
    kind.getconn = functools.wraps(getconn)(getconn_async if waits else getconn_sync)
    kind.putconn = functools.wraps(putconn)(putconn_async if waits else putconn_sync)


def _count_opening(kind: Any) -> None:
    connect = kind.connect.__func__

    def connect_counted(cls: Any, *args: Any, **options: Any) -> Any:
        with _agent.lock:
            _agent.totals.connections_opened += 1
        return connect(cls, *args, **options)

    kind.connect = classmethod(functools.wraps(connect)(connect_counted))


def _frames(frame: FrameType) -> Iterator[FrameType]:
    """Yield the frame and its callers, innermost first."""
    current: FrameType | None = frame
    while current is not None:
        yield current
        current = current.f_back


def _waits(frame: FrameType) -> bool:
    code = frame.f_code
    return (Path(code.co_filename).name, code.co_name) in _WAITING


def _package_of(path: str) -> str:
    """Return the top-level package of a library's file, "" for the standard library."""
    relative = _library_path(path)
    if relative == path:
        return "" if path.startswith((*_STDLIB, "<")) else Path(path).parent.name
    return relative.partition(os.sep)[0].removesuffix(".py")


def _library_path(path: str) -> str:
    for name in _LIBRARIES:
        before, found, after = path.rpartition(f"{os.sep}{name}{os.sep}")
        if found and before:
            return after
    return path
