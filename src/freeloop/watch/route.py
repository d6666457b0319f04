"""The pattern that Django or Channels matched, read from the frames that hold it.

Reading costs nothing until there is something to report. A pattern holds no value of the request.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from freeloop.watch.origin import Origin
from freeloop.watch.stacks import suspended

_DJANGO = ("django/core/handlers/", "django\\core\\handlers\\")
_CHANNELS = ("channels/routing.py", "channels\\routing.py")


def route_of(origin: Origin | None, frames: list[FrameType]) -> str | None:
    """Return the route of a request.

    Args:
        origin: The request; remembers what was found.
        frames: What runs now; it may be what runs the request.
    """
    if origin is not None and origin.route is not None:
        return origin.route
    route = _first(frames)
    if origin is None:
        return route
    if route is None:
        # The request itself may be waiting while a task or a thread works for it.
        route = _first(suspended(origin()))
    origin.route = route
    return route


def unresolved(frames: list[FrameType]) -> Any:
    """Return the request that Django works on, if its route is not known yet; else None.

    It is kept until the stretch ends: a middleware may block before the route is resolved.
    """
    for frame in frames:
        if any(part in frame.f_code.co_filename for part in _DJANGO):
            request = frame.f_locals.get("request")
            if getattr(request, "resolver_match", False) is None:
                return request
    return None


def route_of_request(request: Any) -> str | None:
    """Return the route of a request that was kept, if it has been resolved since."""
    return _of_match(getattr(request, "resolver_match", None))


def resolved_again(path: str) -> str | None:
    """Return the route of a path whose request is over, as Django would resolve it.

    Only where the project registered no converter of its own: then resolving runs Django's code
    alone, and can neither wait nor ask a database.
    """
    from django.conf import settings
    from django.urls import converters, get_resolver

    own_ones = getattr(converters, "REGISTERED_CONVERTERS", True)
    if own_ones or not settings.configured or not path.startswith("/"):
        return None
    try:
        return _of_match(get_resolver().resolve(path))
    except Exception:
        return None


def _first(frames: list[FrameType]) -> str | None:
    return next((route for frame in frames if (route := _in(frame)) is not None), None)


def _in(frame: FrameType) -> str | None:
    file = frame.f_code.co_filename
    if any(part in file for part in _DJANGO):
        return _of_match(getattr(frame.f_locals.get("request"), "resolver_match", None))
    if file.endswith(_CHANNELS) and frame.f_code.co_name == "__call__":
        pattern = getattr(frame.f_locals.get("route"), "pattern", None)
        return None if pattern is None else str(pattern)
    return None


def _of_match(match: Any) -> str | None:
    route = getattr(match, "route", None)
    return route if isinstance(route, str) else None
