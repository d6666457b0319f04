"""System checks of settings beside async views: cheap, and certain (freeloop.W002 to W004)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core import checks
from django.db import connections
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from freeloop.relief import switch

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

MOST_NAMED = 3


def check_atomic_requests(**_options: object) -> list[CheckMessage]:
    """Name async views that ATOMIC_REQUESTS makes Django refuse (freeloop.W002)."""
    atomic = {
        alias for alias, database in connections.settings.items() if database["ATOMIC_REQUESTS"]
    }
    refused = [
        view for view in _async_views() if atomic - getattr(view, "_non_atomic_requests", set())
    ]
    if not refused:
        return []
    return [
        checks.Warning(
            f"ATOMIC_REQUESTS and {_listed(map(_name, refused))}: Django answers each request to"
            " an async view with RuntimeError",
            hint="decorate them with transaction.non_atomic_requests, and use"
            " transaction.atomic in sync functions",
            id="freeloop.W002",
        )
    ]


def check_kept_connections(**_options: object) -> list[CheckMessage]:
    """Name databases whose connections are kept although ASGI is served (freeloop.W003)."""
    if not _served_by_asgi():
        return []
    return [
        checks.Warning(
            f"CONN_MAX_AGE of the database {alias!r} is {database['CONN_MAX_AGE']}: under ASGI"
            " each request has a thread of its own, so a kept connection is not used again",
            hint='"CONN_MAX_AGE": 0; with psycopg, "OPTIONS": {"pool": True} reuses connections',
            id="freeloop.W003",
        )
        for alias, database in connections.settings.items()
        if database["CONN_MAX_AGE"] != 0
    ]


def check_sync_middleware(**_options: object) -> list[CheckMessage]:
    """Name middleware that keeps a thread for each async request (freeloop.W004)."""
    if not _served_by_asgi() or next(_async_views(), None) is None:
        return []
    sync_only = [path for path in settings.MIDDLEWARE if _is_sync_only(path)]
    if not sync_only:
        return []
    return [
        checks.Warning(
            f"middleware without async: {_listed(sync_only)}: under ASGI a thread is kept for"
            " each request to an async view, as long as the view waits",
            hint="freeloop check --stack shows what each layer costs, and an order that costs less",
            id="freeloop.W004",
        )
    ]


def _served_by_asgi() -> bool:
    """Tell whether settings say so: Channels and Daphne read ASGI_APPLICATION, relief is for ASGI.

    Without either nothing is known: every project has an asgi.py.
    """
    return bool(getattr(settings, "ASGI_APPLICATION", None) or switch.switch().enabled)


def _async_views() -> Iterator[Any]:
    if getattr(settings, "ROOT_URLCONF", None):
        views = _views(get_resolver().url_patterns)
        yield from (view for view in views if iscoroutinefunction(view))


def _views(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[Any]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns)
        else:
            yield pattern.callback


def _is_sync_only(path: str) -> bool:
    """Tell whether a middleware runs in a thread, and certainly runs."""
    middleware = import_string(path)
    if getattr(middleware, "async_capable", False) or not getattr(middleware, "sync_capable", True):
        return False
    # One that may take itself out of the chain when it is made is not certain to run.
    module = sys.modules.get(getattr(middleware, "__module__", ""))
    return not hasattr(module, "MiddlewareNotUsed")


def _name(view: Any) -> str:
    named = getattr(view, "view_class", view)
    return f"{named.__module__}.{getattr(named, '__qualname__', type(view).__name__)}"


def _listed(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - MOST_NAMED} more" if len(every) > MOST_NAMED else ""
    return f"{', '.join(every[:MOST_NAMED])}{more}"
