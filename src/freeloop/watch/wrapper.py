"""The outermost layer of an application: says which request runs, and adds no hop and no frame."""

from __future__ import annotations

import inspect
from asyncio import get_running_loop
from collections.abc import Callable
from typing import Any

from freeloop.watch import reports, sinks
from freeloop.watch.origin import follow
from freeloop.watch.stretch import Stretch
from freeloop.watch.switch import THRESHOLD_MS, killed, switch
from freeloop.watch.watchdog import watchdog

Application = Callable[..., Any]

# Read in every request; the watchdog fills and empties them, and never puts others in their place.
_loops, _dozing = watchdog.loops, watchdog.dozing


def asgi(
    application: Application,
    *,
    threshold_ms: float = THRESHOLD_MS,
    on_report: Callable[[Stretch], object] | None = None,
) -> Application:
    """Return the application, watched.

    Args:
        application: Any ASGI 3 application; put the watch outside everything else.
        threshold_ms: Shorter stretches are not reported. One value per process, the last one said;
            where none is, that of `FREELOOP["WATCH"]`.
        on_report: Called with each stretch in the watchdog's thread, never on the loop.
    """
    said = switch()
    if killed() or said.enabled is False:
        return application
    if threshold_ms == THRESHOLD_MS and said.threshold_ms is not None:
        threshold_ms = said.threshold_ms
    watchdog.threshold_ns = int(max(threshold_ms, 1.0) * 1e6)
    watchdog.never_awaited = said.never_awaited
    if on_report is not None:
        reports.listen(on_report)
    sinks.start()
    attach_if_running()
    watched = wrapped(application)
    # Servers ask whether they may await the call; what it returns is the application's own.
    return inspect.markcoroutinefunction(watched)


def wrapped(application: Application) -> Application:
    """Return a plain function around the application: no coroutine of its own, so no frame."""

    def watched(scope: Any, receive: Any, send: Any) -> Any:
        coroutine = application(scope, receive, send)
        enter(scope, coroutine)
        return coroutine

    return watched


def enter(scope: Any, coroutine: Any) -> None:
    """Note that this context now works for the scope; watch its loop. Raises nothing."""
    try:
        loop = get_running_loop()
        follow(scope, coroutine, loop)
        state = _loops.get(loop)
        if state is None:
            state = watchdog.attach(loop)
        if state.starting and scope["type"] != "lifespan":
            state.starting = False
        if _dozing[0]:
            watchdog.wake()
    except Exception:
        reports.counts.own_errors += 1


def attach_if_running() -> None:
    """Watch the loop on which the server is just loading the project, if it does so on a loop."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        return
    if loop not in watchdog.loops:
        watchdog.attach(loop)
