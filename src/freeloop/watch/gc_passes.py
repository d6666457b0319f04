"""How long the garbage collector ran, and in which thread."""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from typing import Any

# Shorter passes explain no stretch.
_WORTH_NS = 2_000_000

_passes: deque[tuple[int, int, int]] = deque(maxlen=64)
_started: dict[int, int] = {}


def start() -> None:
    """Note every pass from now on."""
    if _note not in gc.callbacks:
        gc.callbacks.append(_note)


def stop() -> None:
    """Note nothing any more."""
    if _note in gc.callbacks:
        gc.callbacks.remove(_note)
    _passes.clear()
    _started.clear()


def spent_ns(thread: int, since_ns: int, until_ns: int) -> int:
    """Return how long passes ran in a thread between two moments."""
    return sum(
        min(end, until_ns) - max(begin, since_ns)
        for ident, begin, end in list(_passes)
        if ident == thread and begin < until_ns and end > since_ns
    )


def _note(phase: str, _info: dict[str, Any]) -> None:
    # Runs inside whatever code happened to allocate.
    now = time.perf_counter_ns()
    if phase == "start":
        _started[0] = now
        return
    began = _started.get(0, now)
    if now - began >= _WORTH_NS:
        _passes.append((threading.get_ident(), began, now))
