"""Other tools on the same application, for `benchmarks/watch_recall.py`; none is a dependency."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable
from typing import Any

Write = Callable[[dict[str, Any]], None]

THRESHOLD_MS = 20


def on_the_loop(tool: str) -> None:
    """Do what a tool wants done on the running loop."""
    if tool == "aiocop":
        import aiocop  # type: ignore[import-not-found]

        aiocop.activate()


def start(tool: str, write: Write) -> None:
    """Start a tool; what it reports is written with the fields of a stretch that it knows."""
    if tool == "aiocop":
        _aiocop(write)
    elif tool == "blockbuster":
        _blockbuster(write)


def _aiocop(write: Write) -> None:
    import aiocop

    def slow(event: Any) -> None:
        if not event.exceeded_threshold:
            return
        traces = [each["trace"] for each in (*event.blocking_events, *event.cpu_stack_samples)]
        frames = [
            [file, int(line), ""]
            for trace in traces
            for file, line in re.findall(r"([\w./-]+\.py):(\d+)", str(trace))
        ]
        write({"kind": "block", "cause": event.reason, "ms": event.elapsed_ms, "frames": frames})

    aiocop.patch_audit_functions()
    aiocop.start_blocking_io_detection(trace_depth=40)
    aiocop.detect_slow_tasks(threshold_ms=THRESHOLD_MS, on_slow_task=slow)


def _blockbuster(write: Write) -> None:
    import blockbuster  # type: ignore[import-not-found]
    from blockbuster import blockbuster as inside

    stock = inside.BlockingError.__init__

    def told(self: Any, function: str) -> None:
        stock(self, function)
        stack = traceback.walk_stack(sys._getframe(1))
        frames = [[frame.f_code.co_filename, line, frame.f_code.co_name] for frame, line in stack]
        write({"kind": "block", "cause": function, "ms": 0, "frames": frames})

    inside.BlockingError.__init__ = told
    blockbuster.BlockBuster("tests.watch.site").activate()
