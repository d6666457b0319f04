"""Guards: when one hook of one of Django's middleware may run on the event loop.

A guard reads attributes and settings and answers yes or no; it never does the hook's work. It is
asked about plain requests and responses only (`plain`). Yes means: for this request, Django's own
method cannot wait, query, write, load or log, and what it raises is raised alike. No means: the
same method runs in the request's thread, in one hop.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings

from freeloop.relief.languages import LocaleGuards
from freeloop.relief.plain_values import PlainSettings, plain_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    Before = Callable[[HttpRequest], bool]
    After = Callable[[HttpRequest, HttpResponseBase], bool]
    View = Callable[[HttpRequest, Any], bool]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Compressing or hashing this many bytes costs less than a thread hop.
SMALL_BODY_BYTES = 4096

_SESSION_ENGINES = "django.contrib.sessions.backends."
# Making one of these reads, imports and connects nothing; a file cache makes its folder.
_CACHE_BACKENDS = frozenset(
    f"django.core.cache.backends.{name}"
    for name in ("db.DatabaseCache", "dummy.DummyCache", "locmem.LocMemCache", "redis.RedisCache")
)
_MESSAGE_STORAGES = "django.contrib.messages.storage."


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of one middleware; None where it has no such hook, or the hook stays stock.

    Attributes:
        request: For `process_request`.
        view: For `process_view`.
        response: For `process_response`.
        ran_in_thread: Told of each request whose `process_request` ran in a thread.
    """

    request: Before | None = None
    view: View | None = None
    response: After | None = None
    ran_in_thread: Callable[[HttpRequest], None] | None = None


def guards_for(middleware: object) -> Guards | None:
    """Return the guards of a middleware object of exactly one of Django's classes, else None."""
    cls = type(middleware)
    path = f"{cls.__module__}.{cls.__qualname__}"
    make = _MAKERS.get(path)
    defined = getattr(sys.modules.get(cls.__module__), cls.__qualname__, None)
    if make is None or defined is not cls:
        return None
    plain = PlainSettings(*READS.get(path, ()))
    # What a middleware kept of its settings stays with it.
    return _while(plain, make(middleware)) if plain() else Guards()


def _while(plain: PlainSettings, guards: Guards) -> Guards:
    """Return guards that say no while a setting is not a plain value."""

    def both(guard: Any) -> Any:
        return guard and (lambda *asked: plain() and guard(*asked))

    return Guards(
        both(guards.request), both(guards.view), both(guards.response), guards.ran_in_thread
    )


def _always(*_asked: object) -> bool:
    return True


def _only_answers(_middleware: object) -> Guards:
    return Guards(response=_always)


def _policy(_middleware: object) -> Guards:
    def response(request: HttpRequest, response: Any) -> bool:
        # A view may give its answer another policy.
        own = (getattr(response, name, None) for name in ("_csp_config", "_csp_ro_config"))
        nonce = getattr(request, "_csp_nonce", None)
        return type(nonce).__module__ in {"builtins", "django.utils.csp"} and all(
            map(plain_value, own)
        )

    return Guards(request=_always, response=response)


def _security(_middleware: object) -> Guards:
    return Guards(request=_plain_hosts, response=_always)


def _plain_hosts(_request: HttpRequest) -> bool:
    # `get_host` walks ALLOWED_HOSTS; some projects put an object there that asks a database. Test
    # runners change it without a signal.
    hosts = settings.ALLOWED_HOSTS
    return type(hosts) in {list, tuple} and all(type(host) is str for host in hosts)


def _common(_middleware: object) -> Guards:
    # Adding "www." or a slash resolves paths, which runs the project's path converters.
    def request(request: HttpRequest) -> bool:
        return not settings.PREPEND_WWW and _plain_hosts(request)

    return Guards(request=request, response=_found)


def _found(_request: HttpRequest, response: HttpResponseBase) -> bool:
    return response.status_code != 404


def _csrf(_middleware: object) -> Guards:
    def cookies_only(*_asked: object) -> bool:
        return not settings.CSRF_USE_SESSIONS

    def view(request: HttpRequest, callback: Any) -> bool:
        # What is not safe and not exempt parses the body, and may log and answer 403.
        return request.method in SAFE_METHODS or getattr(callback, "csrf_exempt", False) is True

    return Guards(request=cookies_only, view=view, response=cookies_only)


def _session(middleware: Any) -> Guards:
    store = middleware.SessionStore
    if not store.__module__.startswith(_SESSION_ENGINES):
        return Guards()
    _import_own(settings.SESSION_SERIALIZER)
    if hasattr(store, "cache_key_prefix"):
        _import_own(_backend_of_sessions())

    # Files: the first one looks for the folder, then the class knows it.
    in_files = hasattr(store, "_get_storage_path")

    def request(_request: HttpRequest) -> bool:
        return (
            _imported(settings.SESSION_SERIALIZER)
            and (not hasattr(store, "cache_key_prefix") or _own_cache())
            and (not in_files or hasattr(store, "_storage_path"))
        )

    def response(request: HttpRequest, _response: HttpResponseBase) -> bool:
        session: Any = vars(request).get("session")
        return (
            type(session) is store
            and not session.modified
            and not settings.SESSION_SAVE_EVERY_REQUEST
        )

    return Guards(request=request, response=response)


def _own_cache() -> bool:
    # Making the session makes the cache object, whose class may be the project's.
    backend = _backend_of_sessions()
    return backend in _CACHE_BACKENDS and _imported(backend)


def _backend_of_sessions() -> str:
    return str(settings.CACHES.get(settings.SESSION_CACHE_ALIAS, {}).get("BACKEND", ""))


def _import_own(path: str) -> None:
    """Import the module of one of Django's classes while the chain is built, not on the loop."""
    if path.startswith("django."):
        with contextlib.suppress(ImportError):
            import_module(path.rpartition(".")[0])


def _imported(path: str) -> bool:
    """Return whether the module of a class is there: Django imports it when it is first used."""
    return path.rpartition(".")[0] in sys.modules


def _authentication(_middleware: object) -> Guards:
    # Sets two lazy attributes; the user is loaded where it is used.
    return Guards(request=_always)


def _messages(_middleware: object) -> Guards:
    _import_own(settings.MESSAGE_STORAGE)

    def request(_request: HttpRequest) -> bool:
        storage = settings.MESSAGE_STORAGE
        return storage.startswith(_MESSAGE_STORAGES) and _imported(storage)

    def response(request: HttpRequest, _response: HttpResponseBase) -> bool:
        stored: Any = vars(request).get("_messages")
        return (
            type(stored).__module__.startswith(_MESSAGE_STORAGES)
            and not stored.used
            and not stored.added_new
        )

    return Guards(request=request, response=response)


def _locale(_middleware: object) -> Guards:
    guards = LocaleGuards()
    # A missing page may be looked for under a language prefix, which resolves paths.
    return Guards(guards.request, None, _found, guards.ran_in_thread)


def _small(_request: HttpRequest, response: Any) -> bool:
    return not response.streaming and len(response.content) <= SMALL_BODY_BYTES


def _gzip(_middleware: object) -> Guards:
    return Guards(response=_small)


def _conditional_get(_middleware: object) -> Guards:
    def response(request: HttpRequest, response: Any) -> bool:
        # These two may end in 412, which is logged.
        return (
            "HTTP_IF_MATCH" not in request.META
            and "HTTP_IF_UNMODIFIED_SINCE" not in request.META
            and _small(request, response)
        )

    return Guards(response=response)


_MAKERS: Mapping[str, Callable[[Any], Guards]] = {
    "django.contrib.auth.middleware.AuthenticationMiddleware": _authentication,
    "django.contrib.messages.middleware.MessageMiddleware": _messages,
    "django.contrib.sessions.middleware.SessionMiddleware": _session,
    "django.middleware.clickjacking.XFrameOptionsMiddleware": _only_answers,
    "django.middleware.common.CommonMiddleware": _common,
    "django.middleware.csp.ContentSecurityPolicyMiddleware": _policy,
    "django.middleware.csrf.CsrfViewMiddleware": _csrf,
    "django.middleware.gzip.GZipMiddleware": _gzip,
    "django.middleware.http.ConditionalGetMiddleware": _conditional_get,
    "django.middleware.locale.LocaleMiddleware": _locale,
    "django.middleware.security.SecurityMiddleware": _security,
}


_HOSTS = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_")
# What the names of the settings begin with that their hooks read.
READS: Mapping[str, tuple[str, ...]] = {
    "django.contrib.messages.middleware.MessageMiddleware": ("MESSAGE_STORAGE",),
    "django.contrib.sessions.middleware.SessionMiddleware": ("SESSION_",),
    "django.middleware.clickjacking.XFrameOptionsMiddleware": ("X_FRAME_OPTIONS",),
    "django.middleware.common.CommonMiddleware": (
        *_HOSTS,
        *("APPEND_SLASH", "DISALLOWED_USER_AGENTS", "PREPEND_WWW"),
    ),
    "django.middleware.csp.ContentSecurityPolicyMiddleware": ("SECURE_CSP",),
    "django.middleware.csrf.CsrfViewMiddleware": ("CSRF_",),
    "django.middleware.locale.LocaleMiddleware": ("LANGUAGE_", "USE_I18N"),
    "django.middleware.security.SecurityMiddleware": ("SECURE_", "USE_X_FORWARDED_"),
}


def guarded_classes() -> frozenset[str]:
    """Return the dotted paths of the classes that have guards."""
    return frozenset(_MAKERS)
