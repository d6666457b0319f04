"""Inside the project: a session of an existing user, made and removed without a login.

No login view runs, no signal is sent, `last_login` stays as it is: only the session that the
project's own engine would have stored is written, and deleted again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

# Longer than any run; should the machine lose power, the session still ends by itself.
LIFETIME_S = 12 * 3600


def answer(
    question: dict[str, Any], cleanups: list[Callable[[], None]], asked: Any
) -> dict[str, object]:
    """Make a session for `user` and return its cookie, or remove all when `user` is None."""
    from django.db import DatabaseError, connections

    try:
        if question["user"] is None:
            return {"removed": remove_all(cleanups)}
        return {"cookies": make(question["user"], cleanups, asked)}
    except DatabaseError as error:
        raise asked("database", message=str(error).strip()) from error
    finally:
        connections.close_all()


def make(username: str, cleanups: list[Callable[[], None]], asked: Any) -> dict[str, str]:
    """Store the session of a user and return it as a cookie."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    require_sessions(asked)
    user = find_user(username, asked)
    backend = backend_for(user, asked)
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = user._meta.pk.value_to_string(user)
    store[BACKEND_SESSION_KEY] = backend
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.set_expiry(LIFETIME_S)
    store.save()
    key = store.session_key
    cleanups.append(lambda: remove(key))
    return {settings.SESSION_COOKIE_NAME: key}


def require_sessions(asked: Any) -> None:
    """Refuse projects in which a session cookie would not log anybody in."""
    from django.apps import apps
    from django.conf import settings
    from django.contrib.sessions.middleware import SessionMiddleware

    if not apps.is_installed("django.contrib.auth"):
        raise asked("no-auth", missing="django.contrib.auth in INSTALLED_APPS")
    if not any(is_kind(path, SessionMiddleware) for path in settings.MIDDLEWARE):
        raise asked("no-auth", missing="SessionMiddleware in MIDDLEWARE")
    where = process_local(settings)
    if where:
        raise asked("process-local", engine=settings.SESSION_ENGINE, store=where)


def process_local(settings: Any) -> str:
    """Name the store when another process could not read a session from it, "" otherwise."""
    from django.core.cache import caches
    from django.core.cache.backends.dummy import DummyCache
    from django.core.cache.backends.locmem import LocMemCache
    from django.db import connections, router

    store = import_module(settings.SESSION_ENGINE).SessionStore
    from django.contrib.sessions.backends import cache, db

    if issubclass(store, cache.SessionStore):
        backend = caches[settings.SESSION_CACHE_ALIAS]
        if isinstance(backend, LocMemCache | DummyCache):
            return f"{type(backend).__name__} of this process"
    if issubclass(store, db.SessionStore):
        model = store.get_model_class()
        connection = connections[router.db_for_write(model)]
        name = str(connection.settings_dict["NAME"])
        if connection.vendor == "sqlite" and (":memory:" in name or "mode=memory" in name):
            return "SQLite in the memory of this process"
    return ""


def is_kind(dotted: str, kind: type) -> bool:
    """Whether a dotted path names this class or a subclass of it."""
    from django.utils.module_loading import import_string

    try:
        found = import_string(dotted)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, kind)


def find_user(username: str, asked: Any) -> Any:
    """Return the user by the project's own USERNAME_FIELD."""
    from django.contrib.auth import get_user_model

    model = get_user_model()
    field = str(model.USERNAME_FIELD)
    try:
        user = model._default_manager.get(**{field: username})
    except model.DoesNotExist:
        raise asked("no-user", user=username, field=field) from None
    if not user.is_active:
        raise asked("inactive", user=username)
    return user


def backend_for(user: Any, asked: Any) -> str:
    """Return the first authentication backend that would give this user back."""
    from django.conf import settings
    from django.contrib.auth import load_backend

    for path in settings.AUTHENTICATION_BACKENDS:
        get_user = getattr(load_backend(path), "get_user", None)
        if get_user is not None and get_user(user.pk) is not None:
            return str(path)
    raise asked("no-backend", user=str(user))


def remove(key: str) -> None:
    """Delete a session; a store that keeps nothing (signed cookies) has nothing to delete."""
    from django.conf import settings
    from django.db import connections

    try:
        import_module(settings.SESSION_ENGINE).SessionStore().delete(key)
    finally:
        connections.close_all()


def remove_all(cleanups: list[Callable[[], None]]) -> int:
    """Delete every session made so far and return how many there were."""
    count = len(cleanups)
    while cleanups:
        clean = cleanups.pop()
        with suppress(KeyError):
            clean()
    return count
