"""Functions written in C, which only a stand-in can see: `time.sleep` and `open`.

The one probe that patches. A name that was imported before (`from time import sleep`) keeps the
function itself, so its waiting shows as blocked time only.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call
from freeloop.record.recorder import Detail, Recorder
from freeloop.record.watch import Watch

LIBRARY = ("time", "")


def install(watch: Watch) -> None:
    """Stand in for both, and watch what reads or writes a file whole."""
    recorder = watch.recorder
    watch.replace(time, "sleep", functools.partial(watched_sleep, recorder))
    watch.replace(builtins, "open", functools.partial(watched_open, recorder))
    watch.replace(io, "open", functools.partial(watched_open, recorder))
    for name in ("read_text", "read_bytes", "write_text", "write_bytes"):
        call = Call(MarkKind.FILE, functools.partial(whole, recorder, name), alone=True)
        watch.call(getattr(Path, name), call, "self")


def watched_sleep(recorder: Recorder, stock: Callable[[float], None]) -> Callable[..., None]:
    """Return `time.sleep` that marks SLEEP."""

    @functools.wraps(stock)
    def sleep(seconds: float, /) -> None:
        lane = recorder.lane()
        if lane is None:
            return stock(seconds)
        known = type(seconds) is float or type(seconds) is int
        detail: Detail = {"asked_ms": seconds * 1000 if known else None}
        span = recorder.begin(
            MarkKind.SLEEP, lane, "time.sleep", detail=detail, frame=sys._getframe(1)
        )
        try:
            return stock(seconds)
        finally:
            recorder.end(span)

    return sleep


def watched_open(recorder: Recorder, stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return `open` that marks FILE."""

    @functools.wraps(stock)
    def open(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:  # noqa: A001
        lane = recorder.lane()
        if lane is None or MarkKind.FILE in lane.kinds:
            return stock(file, mode, *more, **named)
        text = f"open {shown_file(recorder, file)}"
        how: Detail = {"mode": mode if type(mode) is str else None}
        span = recorder.begin(MarkKind.FILE, lane, text, detail=how, frame=sys._getframe(1))
        try:
            return stock(file, mode, *more, **named)
        finally:
            recorder.end(span)

    return open


def whole(recorder: Recorder, name: str, frame: Any) -> tuple[str, Detail | None]:
    """Tell which file is read or written whole."""
    return f"{name} {shown_file(recorder, frame.f_locals['self'])}", None


def shown_file(recorder: Recorder, file: Any) -> str:
    """Return a file as seen from the project's root; elsewhere its name alone."""
    if type(file) is str:
        return recorder.places.shown(file if os.sep in file else recorder.places.root + file)
    if isinstance(file, Path):
        return recorder.places.shown(str(file))
    return type(file).__name__
