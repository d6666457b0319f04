"""Coroutines that were made and never awaited; opt-in, for it stands in for a name of `warnings`.

CPython calls `warnings._warn_unawaited_coroutine` when such a coroutine is freed (3.12 to 3.14):
for a forgotten `await` that is at once, on the very line.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from freeloop.watch import reports
from freeloop.watch.origin import current
from freeloop.watch.route import route_of
from freeloop.watch.stacks import frames_of, stack_of
from freeloop.watch.stretch import Cause, Stretch, kind_of

_NAME = "_warn_unawaited_coroutine"

_stock: Callable[[Any], None] | None = None


def start() -> None:
    """Report them from now on; the warning itself stays as it is."""
    global _stock
    if _stock is None and hasattr(warnings, _NAME):
        _stock = getattr(warnings, _NAME)
        setattr(warnings, _NAME, _warn)


def stop() -> None:
    """Put back what was there."""
    global _stock
    if _stock is not None and getattr(warnings, _NAME, None) is _warn:
        setattr(warnings, _NAME, _stock)
        _stock = None


def _warn(coroutine: Any) -> None:
    try:
        _note(coroutine)
    except Exception:
        reports.counts.own_errors += 1
    if _stock is not None:
        _stock(coroutine)


def _note(coroutine: Any) -> None:
    frame = sys._getframe(2)
    origin = current.get()
    code = coroutine.cr_code
    made = (code.co_filename, code.co_firstlineno, code.co_name)
    reports.post(
        Stretch(
            kind=kind_of(Cause.NEVER_AWAITED),
            cause=Cause.NEVER_AWAITED,
            ms=0.0,
            frames=stack_of(frame),
            route=route_of(origin, frames_of(frame)),
            path=None if origin is None else origin.path,
            task=None,
            started=time.time(),
            confidence=1.0,
            other=(made,),
        )
    )
