"""Reads what a thread or a suspended coroutine is doing, from another thread.

Frames are turned into plain tuples at once: a frame kept alive would keep a request's values alive.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from freeloop.watch.stretch import Frame

_DEEPEST = 80
# A hook of ours is called as the loop goes from one turn to the next: that is nobody's line.
_OWN = __file__.removesuffix("stacks.py")
# Below these frames lies the machinery of the loop or of a thread, the same for everything.
_FLOORS = frozenset(
    {
        ("asyncio/events.py", "_run"),
        ("asyncio/base_events.py", "_run_once"),
        ("concurrent/futures/thread.py", "_worker"),
        ("/threading.py", "run"),
    }
)
_SUSPENDED = (("cr_frame", "cr_await"), ("ag_frame", "ag_await"), ("gi_frame", "gi_yieldfrom"))
_FLOOR_NAMES = frozenset(name for _, name in _FLOORS)


def stack_of(frame: FrameType | None, floor: int = 0) -> tuple[Frame, ...]:
    """Return the stack above the machinery, innermost first; without what of it is the watch.

    Args:
        frame: The innermost frame of a thread.
        floor: Identity of the frame that runs the loop, where it is known.
    """
    found: list[Frame] = []
    while frame is not None and id(frame) != floor and frame.f_code.co_filename.startswith(_OWN):
        frame = frame.f_back
    while frame is not None and len(found) < _DEEPEST and id(frame) != floor:
        if is_floor(frame):
            break
        found.append(_described(frame))
        frame = frame.f_back
    return tuple(found)


def is_floor(frame: FrameType) -> bool:
    """Return whether a frame is the machinery that runs callbacks or a thread's work."""
    code = frame.f_code
    return code.co_name in _FLOOR_NAMES and any(
        code.co_name == name and code.co_filename.endswith(file) for file, name in _FLOORS
    )


def frames_of(frame: FrameType | None) -> list[FrameType]:
    """Return the frames themselves, innermost first; not to be kept."""
    found: list[FrameType] = []
    while frame is not None and len(found) < _DEEPEST:
        found.append(frame)
        frame = frame.f_back
    return found


def suspended(coroutine: Any) -> list[FrameType]:
    """Return the frames of a coroutine that waits, outermost first; empty while it runs."""
    found: list[FrameType] = []
    while coroutine is not None and len(found) < _DEEPEST:
        kind = next((each for each in _SUSPENDED if hasattr(coroutine, each[0])), None)
        frame = None if kind is None else getattr(coroutine, kind[0])
        if kind is None or frame is None:
            break
        found.append(frame)
        awaited = getattr(coroutine, kind[1])
        if frame.f_code.co_filename.endswith("contextlib.py"):
            # Between an async context manager and its generator stands an object that shows
            # nothing.
            awaited = getattr(frame.f_locals.get("self"), "gen", awaited)
        coroutine = awaited
    return found


def stack_of_task(task: Any) -> tuple[Frame, ...]:
    """Return where a task waits, innermost first."""
    return tuple(_described(frame) for frame in reversed(suspended(task.get_coro())))


def stack_of_error(error: BaseException) -> tuple[Frame, ...]:
    """Return where an exception was raised, innermost first."""
    found: list[Frame] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append((code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return tuple(reversed(found[-_DEEPEST:]))


def _described(frame: FrameType) -> Frame:
    code = frame.f_code
    return (code.co_filename, frame.f_lineno or code.co_firstlineno, code.co_name)
