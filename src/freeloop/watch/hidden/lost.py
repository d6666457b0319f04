"""Exceptions that nobody sees: raised in a task whose result was never asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from freeloop.watch import reports
from freeloop.watch.origin import of_context
from freeloop.watch.route import route_of
from freeloop.watch.stacks import stack_of_error
from freeloop.watch.stretch import Cause, Stretch, kind_of

_LOST = ("exception was never retrieved", "exception in shielded future")

Handler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


class LostExceptions:
    """A handler on each loop, which passes everything on to the one that was there."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._ours: dict[asyncio.AbstractEventLoop, tuple[Handler, Handler | None]] = {}

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Put ours over what is there."""
        previous = loop.get_exception_handler()

        def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            self._note(context)
            if previous is None:
                loop.default_exception_handler(context)
            else:
                previous(loop, context)

        self._ours[loop] = (handle, previous)
        loop.set_exception_handler(handle)

    def detach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Put back what was there, unless somebody has put theirs over ours since."""
        ours, previous = self._ours.pop(loop, (None, None))
        if ours is not None and loop.get_exception_handler() is ours:
            loop.set_exception_handler(previous)

    def _note(self, context: dict[str, Any]) -> None:
        try:
            error = context.get("exception")
            if not isinstance(error, Exception) or not _is_lost(context):
                return
            future = context.get("task") or context.get("future")
            is_task = isinstance(future, asyncio.Task)
            origin = of_context(future.get_context()) if is_task else None  # type: ignore[union-attr]
            reports.post(
                Stretch(
                    kind=kind_of(Cause.LOST_EXCEPTION),
                    cause=Cause.LOST_EXCEPTION,
                    ms=0.0,
                    frames=stack_of_error(error),
                    route=route_of(origin, []),
                    path=None if origin is None else origin.path,
                    task=future.get_name() if is_task else None,  # type: ignore[union-attr]
                    started=time.time(),
                    confidence=1.0,
                )
            )
            self._wake()
        except Exception:
            reports.counts.own_errors += 1


def _is_lost(context: dict[str, Any]) -> bool:
    return str(context.get("message", "")).endswith(_LOST)
