"""In words: why a middleware is not relieved, and when one that is pays a hop all the same.

The guards decide; this only says it. tests/relief/test_reasons.py brings each condition about and
counts the hop.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings

from freeloop.relief.explanation import Mode
from freeloop.relief.guards import READS, SMALL_BODY_BYTES, guarded_classes
from freeloop.relief.middleware import HOOKS
from freeloop.relief.plain import own_function
from freeloop.relief.plain_values import PlainSettings
from freeloop.relief.stack import function_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.dispatch import Signal

    from freeloop.relief.stack import Layer

_AUTH = "django.contrib.auth.middleware"
_MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
_SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
_COMMON = "django.middleware.common.CommonMiddleware"
_CSRF = "django.middleware.csrf.CsrfViewMiddleware"
_GZIP = "django.middleware.gzip.GZipMiddleware"
_CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"
_LOCALE = "django.middleware.locale.LocaleMiddleware"
_SECURITY = "django.middleware.security.SecurityMiddleware"
_CACHE = "reads and writes the cache"

STAYS_STOCK: Mapping[str, str] = {
    "django.contrib.admindocs.middleware.XViewMiddleware": "loads the user",
    f"{_AUTH}.LoginRequiredMiddleware": "loads the user",
    f"{_AUTH}.PersistentRemoteUserMiddleware": "logs users in",
    f"{_AUTH}.RemoteUserMiddleware": "logs users in",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware": "queries the database",
    "django.contrib.redirects.middleware.RedirectFallbackMiddleware": "queries the database",
    "django.contrib.sites.middleware.CurrentSiteMiddleware": "queries the database",
    "django.middleware.cache.CacheMiddleware": _CACHE,
    "django.middleware.cache.FetchFromCacheMiddleware": _CACHE,
    "django.middleware.cache.UpdateCacheMiddleware": _CACHE,
    "django.middleware.common.BrokenLinkEmailsMiddleware": "sends mail",
}

CONDITIONS: Mapping[str, tuple[str, ...]] = {
    _SESSIONS: ("one hop if the session was modified",),
    _MESSAGES: ("one hop if messages were added or read",),
    _COMMON: ("one hop if the answer is 404",),
    _CSRF: ("one hop if the method is not safe and the view is not exempt",),
    _GZIP: (f"one hop if the body is longer than {SMALL_BODY_BYTES} bytes or streamed",),
    _CONDITIONAL: (
        f"one hop if the body is longer than {SMALL_BODY_BYTES} bytes or streamed",
        "one hop if the request has If-Match or If-Unmodified-Since",
    ),
    _LOCALE: (
        "one hop if the language was not asked for in this way before",
        "one hop if the answer is 404",
    ),
}

_Blocker = tuple["Callable[[Any], bool]", str]
# What a guard says no to for every request of this project.
_BLOCKERS: Mapping[str, tuple[_Blocker, ...]] = {
    _SESSIONS: (
        (
            lambda m: not m.SessionStore.__module__.startswith("django.contrib.sessions.backends."),
            "SESSION_ENGINE is not one of Django's",
        ),
        (lambda _: settings.SESSION_SAVE_EVERY_REQUEST, "SESSION_SAVE_EVERY_REQUEST is on"),
        (
            lambda m: hasattr(m.SessionStore, "cache_key_prefix"),
            "the sessions' cache is not one of Django's",
        ),
    ),
    _MESSAGES: ((lambda _: True, "MESSAGE_STORAGE is not one of Django's"),),
    _COMMON: (
        (lambda _: settings.PREPEND_WWW, "PREPEND_WWW is on"),
        (lambda _: True, "ALLOWED_HOSTS is no list or tuple of texts"),
    ),
    _SECURITY: ((lambda _: True, "ALLOWED_HOSTS is no list or tuple of texts"),),
    _CSRF: ((lambda _: settings.CSRF_USE_SESSIONS, "CSRF_USE_SESSIONS is on"),),
}


def why_stock(layer: Layer) -> str:
    """Return why relief leaves alone a middleware that has no guards."""
    match layer.mode:
        case Mode.UNUSED:
            return "took itself out of the chain (MiddlewareNotUsed)"
        case Mode.SYNC:
            shared = f", that of {layer.inside}" if layer.inside else ""
            return f"sync only: holds the request's thread{shared} until the answer"
        case Mode.INSIDE:
            return f"runs in the thread of {layer.inside}"
        case _ if (wrapper := _wrapped_by(layer)) or layer.mode is Mode.ASYNC:
            if wrapper and layer.hops:
                return wrapper
            named = wrapper or STAYS_STOCK.get(_path(type(layer.instance)), "")
            own = "a coroutine of its own; hops in its own code are not counted"
            return f"{named}; {own}" if named and layer.mode is Mode.ASYNC else wrapper or own
        case _:
            return _why_not_guarded(layer)


def conditions_of(layer: Layer) -> tuple[str, ...]:
    """Return when a relieved middleware pays a hop that it else does not."""
    return CONDITIONS.get(_path(type(layer.instance)), ())


def why_blocked(layer: Layer) -> str:
    """Return which setting makes its guards say no to every request."""
    path = _path(type(layer.instance))
    if others := tuple(PlainSettings(*READS.get(path, ())).others()):
        return f"not a plain value: {', '.join(others)}"
    blockers = _BLOCKERS.get(path, ())
    said = [words for holds, words in blockers if holds(layer.instance)]
    return said[0] if said else "a guard says no to every request of this project"


def foreign_receivers(signal: Signal, sender: Any, own: frozenset[int]) -> tuple[str, ...]:
    """Return the names of the live receivers that are not Django's own."""
    sync_receivers, async_receivers = signal._live_receivers(sender)
    every = (*sync_receivers, *async_receivers)
    return tuple(_receiver_name(each) for each in every if id(each) not in own)


def _receiver_name(receiver: Any) -> str:
    # Monitoring tools wrap Django's own receivers too.
    wrapped = "__wrapped__" in getattr(receiver, "__dict__", {})
    return f"{function_name(receiver)} (wrapped)" if wrapped else function_name(receiver)


def _wrapped_by(layer: Layer) -> str:
    wrapper = type(layer.instance)
    if not isinstance(layer.made_by, type) or wrapper is layer.made_by:
        return ""
    # Some wrappers take the name of what they wrap; their code tells where it comes from.
    return f"wrapped by {getattr(wrapper.__call__, '__module__', None) or _path(wrapper)}"


def _why_not_guarded(layer: Layer) -> str:
    cls = type(layer.instance)
    path = _path(cls)
    if path in STAYS_STOCK:
        return f"stays stock: {STAYS_STOCK[path]}"
    for hook in HOOKS:
        method = vars(layer.instance).get(hook) or getattr(cls, hook, None)
        if path in guarded_classes() and method is not None and not own_function(method):
            return f"{hook} was replaced by {function_name(method)}"
        if hook in vars(layer.instance):
            return f"{hook} was replaced on the object"
    for base in cls.__mro__[1:]:
        if _path(base) in guarded_classes() or _path(base) in STAYS_STOCK:
            return f"a subclass of {_path(base)}: what it overrides is not known"
    if getattr(sys.modules.get(cls.__module__), cls.__qualname__, None) is not cls:
        return f"{path} is not the class that its module has"
    return "third party: what its hooks do is not known"


def _path(cls: Any) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
