"""One look at the thread of an event loop: what it runs, for which task and which request."""

from __future__ import annotations

import asyncio
import threading
import weakref
from dataclasses import dataclass
from types import FrameType
from typing import Any

from freeloop.watch.origin import Origin, of_context
from freeloop.watch.route import route_of, unresolved
from freeloop.watch.stacks import frames_of, is_floor, stack_of
from freeloop.watch.stretch import Frame
from freeloop.watch.threads import being_started


@dataclass(frozen=True, slots=True)
class Sample:
    """What one look saw.

    Attributes:
        at_ns: `time.perf_counter_ns`.
        stack: Innermost first.
        step: Tells one callback or step of a task from the next; equal within one.
        origin: The request that it works for.
        route: As far as it was resolved then.
        task: Name of the task; None in a plain callback.
        lock_ns: How long the watchdog had waited for the interpreter lock before it could look.
        blamed: Stack of another thread that held the lock meanwhile; empty if none did.
        request: Django's request, where the route was still to be resolved.
        newborn: A thread for whose first step the loop waits.
    """

    at_ns: int
    stack: tuple[Frame, ...]
    step: int
    origin: Origin | None
    route: str | None
    task: str | None
    lock_ns: int = 0
    blamed: tuple[Frame, ...] = ()
    request: Any = None
    newborn: weakref.ref[threading.Thread] | None = None


def take(
    frame: FrameType,
    loop: asyncio.AbstractEventLoop,
    at_ns: int,
    *,
    floor: int = 0,
    lock_ns: int = 0,
    blamed: tuple[Frame, ...] = (),
) -> Sample | None:
    """Return what the loop runs; None when it is between two callbacks.

    Args:
        frame: Innermost frame of the loop's thread.
        loop: The loop.
        at_ns: Now.
        floor: Identity of the frame that runs the loop, where it is known.
        lock_ns: See `Sample`.
        blamed: See `Sample`.
    """
    stack = stack_of(frame, floor)
    if not stack:
        return None
    frames = frames_of(frame)
    task = asyncio.current_task(loop)
    handle = None if floor else _handle(frames)
    context: Any
    if task is not None:
        context, step = task.get_context(), id(task)
    else:
        context, step = getattr(handle, "_context", None), id(_outermost(frames, floor))
    if handle is not None:
        step = id(handle)
    origin = of_context(context)
    route = route_of(origin, frames)
    newborn = being_started(frames)
    return Sample(
        at_ns=at_ns,
        stack=stack,
        step=step,
        origin=origin,
        route=route,
        task=None if task is None else task.get_name(),
        lock_ns=lock_ns,
        blamed=blamed,
        request=None if route is not None else unresolved(frames),
        newborn=None if newborn is None else weakref.ref(newborn),
    )


def _handle(frames: list[FrameType]) -> Any:
    """Return the callback that asyncio's own loop runs; loops written in C show none."""
    for frame in frames:
        if frame.f_code.co_name == "_run" and is_floor(frame):
            return frame.f_locals.get("self")
    return None


def _outermost(frames: list[FrameType], floor: int) -> FrameType | None:
    above = None
    for frame in frames:
        if id(frame) == floor or is_floor(frame):
            break
        above = frame
    return above
