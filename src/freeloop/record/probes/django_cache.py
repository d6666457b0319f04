"""Calls of Django's caches: which cache, which operation; neither keys nor values."""

from __future__ import annotations

from functools import partial
from types import FrameType, FunctionType
from typing import Any

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call
from freeloop.record.recorder import Detail
from freeloop.record.watch import Watch

LIBRARY = ("django.core.cache", "django")
OPERATIONS = (
    *("get", "set", "add", "delete", "touch", "incr", "decr", "has_key", "clear"),
    *("get_many", "set_many", "delete_many", "get_or_set"),
)


def install(watch: Watch) -> None:
    """Watch the operations of every cache in the settings, also where a subclass has its own."""
    from django.conf import settings
    from django.core.cache import caches

    for alias in settings.CACHES:
        backend: Any = type(caches[alias])
        for operation in OPERATIONS:
            # A method of the base class calls that of the subclass: watch all, mark the outermost.
            for kind in backend.__mro__:
                method = vars(kind).get(operation)
                if isinstance(method, FunctionType):
                    call = Call(MarkKind.CACHE, partial(told, operation), alone=True)
                    watch.call(method, call)


def told(operation: str, frame: FrameType) -> tuple[str, Detail | None]:
    """Tell the operation and the kind of cache."""
    return f"{operation} {type(frame.f_locals['self']).__name__}", {"operation": operation}
