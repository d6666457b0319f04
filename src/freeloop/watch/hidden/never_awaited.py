"""Coroutines that were made and never awaited; opt-in, for it stands in for a name of `warnings`.

CPython calls `warnings._warn_unawaited_coroutine` when such a coroutine is freed (3.12 to 3.14):
for a forgotten `await` that is at once, on the very line.
"""

from __future__ import annotations

import sys
import time
import warnings
from types import FunctionType
from typing import Any

from freeloop.watch import reports
from freeloop.watch.origin import current
from freeloop.watch.route import route_of
from freeloop.watch.stacks import frames_of, stack_of
from freeloop.watch.stretch import Cause, Stretch, kind_of

_NAME = "_warn_unawaited_coroutine"

_stock: Any = None


def start() -> None:
    """Report them from now on; the warning itself stays as it is."""
    global _stock
    stock = getattr(warnings, _NAME, None)
    if _stock is None and type(stock) is FunctionType:
        _stock = stock
        # CPython's own code, which names its caller's caller as the place: another function
        # around it would change what the warning says.
        ours = FunctionType(stock.__code__, {**stock.__globals__, "warn": _warn}, _NAME)
        setattr(warnings, _NAME, ours)


def stop() -> None:
    """Put back what was there."""
    global _stock
    if _stock is not None:
        setattr(warnings, _NAME, _stock)
        _stock = None


def _warn(message: str, category: Any, stacklevel: int = 1, source: Any = None) -> None:
    try:
        _note(source)
    except Exception:
        reports.counts.own_errors += 1
    warnings.warn(message, category, stacklevel=stacklevel + 1, source=source)


def _note(coroutine: Any) -> None:
    frame = sys._getframe(3)
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
