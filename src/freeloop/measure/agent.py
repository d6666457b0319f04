"""Watch a Django application from inside its server, in the one observed round.

This file stands alone (standard library and Django only): `entry.py` loads it by path in the
project's own interpreter, and it loads the two files beside it. It counts and times, and answers
`reset` and `report` on a UNIX socket, one for each worker process; `agent_client.py` asks. It never
changes an answer except for one more header, `Server-Timing`. Timed rounds run without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import importlib.util
import json
import os
import socket
import sys
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

_TIMER_S = 0.010
_SETTLE_NS = 1_000_000_000


class _Request:
    """The running totals of one request, for its Server-Timing header."""

    __slots__ = ("ended", "held_ns", "started_ns")

    def __init__(self) -> None:
        self.started_ns = time.perf_counter_ns()
        self.held_ns = 0
        self.ended = False


class _Totals:
    """What the agent itself counted since the last `reset`."""

    def __init__(self) -> None:
        self.requests = 0
        self.threads_started = 0
        self.loop_held_ns = 0
        self.loop_cpu_ns = 0
        self.longest_hold_ns = 0
        self.loop_delay_ns = 0
        self.thread_held_ns = 0


class _Agent:
    """The state of one observed process.

    Attributes:
        sampler: A `Sampler` of the file beside this one, loaded by path and so without its type.
        connections: `Connections`, likewise.
    """

    def __init__(self, sockets: str, sampler: Any, connections: Any) -> None:
        self.sockets = sockets
        self.sampler = sampler
        self.connections = connections
        self.interface = ""
        self.pid = 0
        self.in_flight = 0
        self.lock = threading.RLock()
        self.totals = _Totals()
        self.loops: weakref.WeakSet[Any] = weakref.WeakSet()

    def watch_process(self) -> None:
        """Start the socket and the sampler, again in a process that was forked."""
        if self.pid == os.getpid():
            return
        self.pid = os.getpid()
        for name, work in (("freeloop-agent", self._serve), ("freeloop-sample", self.sampler.run)):
            threading.Thread(target=work, name=name, daemon=True).start()

    def started(self) -> _Request:
        """Count a request in."""
        with self.lock:
            self.in_flight += 1
        return _Request()

    def ended(self, request: _Request) -> None:
        """Count a request out, once."""
        with self.lock:
            if not request.ended:
                request.ended = True
                self.in_flight -= 1
                self.totals.requests += 1
                self.totals.thread_held_ns += time.perf_counter_ns() - request.started_ns

    def _serve(self) -> None:
        self.sampler.own_threads.add(threading.get_ident())
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{self.sockets}/agent-{self.pid}.sock")
            server.listen()
            while True:
                client, _ = server.accept()
                # Whoever asks may be gone before the answer.
                with client, contextlib.suppress(OSError):
                    question = client.recv(64).strip()
                    self._let_requests_end()
                    answer = self._report()
                    if question == b"reset":
                        self._reset()
                    client.sendall(json.dumps(answer).encode())

    def _let_requests_end(self) -> None:
        # A client has its answer before the request has ended here.
        deadline_ns = time.perf_counter_ns() + _SETTLE_NS
        while self.in_flight and time.perf_counter_ns() < deadline_ns:
            time.sleep(_TIMER_S)

    def _reset(self) -> None:
        self.totals = _Totals()
        self.connections.reset()
        self.sampler.reset()

    def _report(self) -> dict[str, Any]:
        """Return sums as plain values, so that worker processes can be added up."""
        return {
            "interface": self.interface,
            **vars(self.totals),
            **self.connections.report(),
            **self.sampler.report(),
        }


_agent: _Agent
_request: contextvars.ContextVar[_Request | None] = contextvars.ContextVar(
    "freeloop_request", default=None
)


def install(*, root: str, sockets: str) -> None:
    """Start watching this process; called before the application is made."""
    global _agent
    connections = _beside("agent_connections").Connections()
    _agent = _Agent(sockets, _beside("agent_sampler").Sampler(root), connections)
    _agent.watch_process()
    _count_threads()
    connections.install()


def wrap_asgi(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return the ASGI application, watched."""
    _agent.interface = "asgi"

    @functools.wraps(application, updated=())
    async def application_watched(scope: Any, receive: Any, send: Any) -> None:
        _watch_loop()
        if scope["type"] not in {"http", "websocket"}:
            await application(scope, receive, send)
            return
        request = _agent.started()
        token = _request.set(request)

        async def send_with_timing(message: Any) -> None:
            if message["type"] == "http.response.start":
                header = (b"server-timing", _server_timing(request).encode())
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        try:
            await _Steps(_called(application, scope, receive, send_with_timing), request)
        finally:
            _agent.ended(request)
            with contextlib.suppress(ValueError):
                # A server that closes us at its end does so from another context.
                _request.reset(token)

    return application_watched


async def _called(application: Callable[..., Any], scope: Any, receive: Any, send: Any) -> None:
    """Make a coroutine of an application that may return any awaitable."""
    await application(scope, receive, send)


def wrap_wsgi(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return the WSGI application, watched: the thread is held until the body is closed.

    The body loses the server's own way of sending files: the bytes are the same.
    """
    _agent.interface = "wsgi"

    @functools.wraps(application, updated=())
    def application_watched(environ: Any, start_response: Any) -> Iterable[bytes]:
        _agent.watch_process()
        _agent.sampler.kernel_ids[threading.get_ident()] = threading.get_native_id()
        request = _agent.started()

        def start_with_timing(status: str, headers: Any, *error: Any) -> Any:
            timing = ("Server-Timing", _server_timing(request))
            return start_response(status, [*headers, timing], *error)

        try:
            body = application(environ, start_with_timing)
        except BaseException:
            _agent.ended(request)
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
            _agent.ended(self.request)


def _server_timing(request: _Request) -> str:
    app_ms = (time.perf_counter_ns() - request.started_ns) / 1e6
    loop = ""
    if _agent.interface == "asgi":
        held_ns = request.held_ns
        if (started_ns := _agent.sampler.steps.get(threading.get_ident())) is not None:
            # The step that sends this header has not ended.
            held_ns += time.perf_counter_ns() - started_ns
        loop = f", loop;dur={held_ns / 1e6:.3f}"
    return f'app;dur={app_ms:.3f}{loop}, conn;desc="{_agent.connections.held_now()} open"'


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
        thread, steps = threading.get_ident(), _agent.sampler.steps
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
    _agent.sampler.kernel_ids[threading.get_ident()] = threading.get_native_id()
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


def _beside(name: str) -> Any:
    """Return the module in the file of that name beside this one."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"freeloop_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
