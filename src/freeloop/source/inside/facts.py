"""Inside the project: versions, databases, middleware, applications and hosts."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import re
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

PACKAGES = (
    "django", "asgiref", "gunicorn", "uvicorn", "uvloop", "httptools", "websockets", "granian",
    "hypercorn", "daphne", "psycopg", "psycopg-pool", "psycopg2", "psycopg2-binary", "mysqlclient",
    "oracledb", "channels", "djangorestframework", "django-ninja", "gevent", "pip",
)  # fmt: skip
VARIABLE = "DJANGO_SETTINGS_MODULE"
# psycopg_pool opens `min_size` connections and no more when `max_size` is not given.
PSYCOPG_POOL_MIN_SIZE = 4


def answer(_question: dict[str, Any], _cleanups: list[Callable[[], None]], _asked: type) -> object:
    """Return everything that `freeloop.source.facts.Facts` holds, as JSON values."""
    from django.conf import settings

    wsgi, wsgi_failure = application("wsgi", getattr(settings, "WSGI_APPLICATION", None))
    asgi, asgi_failure = application("asgi", getattr(settings, "ASGI_APPLICATION", None))
    return {
        "python": platform.python_version(),
        "packages": dict(installed()),
        "databases": [database(alias, values) for alias, values in settings.DATABASES.items()],
        "middleware": list(settings.MIDDLEWARE),
        "wsgi": wsgi,
        "wsgi_failure": wsgi_failure,
        "asgi": asgi,
        "asgi_failure": asgi_failure,
        "debug": bool(settings.DEBUG),
        "allowed_hosts": [str(host) for host in settings.ALLOWED_HOSTS],
        "host": allowed_host(settings.ALLOWED_HOSTS, debug=settings.DEBUG),
        "ssl_redirect": bool(settings.SECURE_SSL_REDIRECT),
        "ssl_proxy_header": settings.SECURE_PROXY_SSL_HEADER,
        "session_engine": settings.SESSION_ENGINE,
    }


def installed() -> Iterator[tuple[str, str]]:
    """Yield name and version of the packages that bear on serving."""
    for name in PACKAGES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def database(alias: str, values: dict[str, Any]) -> dict[str, object]:
    """Return what identifies a database; user and password stay here."""
    pool = values.get("OPTIONS", {}).get("pool")
    # SQLite has no host; projects that choose their database by variables name one all the same.
    remote = "sqlite" not in values.get("ENGINE", "")
    return {
        "alias": alias,
        "engine": values.get("ENGINE", ""),
        "name": without_password(str(values.get("NAME") or "")),
        "host": without_password(str(values.get("HOST") or "")) if remote else "",
        "port": str(values.get("PORT") or "") if remote else "",
        "pooled": bool(pool),
        "pool_max": pool_max(pool) if pool else None,
        "conn_max_age_s": values.get("CONN_MAX_AGE", 0),
    }


def without_password(text: str) -> str:
    """Return a name or address with the password of a URL masked."""
    text = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", text)
    return re.sub(r"(password\s*=\s*)\S+", r"\1***", text, flags=re.IGNORECASE)


def pool_max(pool: object) -> int | None:
    """Return the most connections of a pool, None when its options do not tell."""
    if pool is True:
        return PSYCOPG_POOL_MIN_SIZE
    if not isinstance(pool, dict):
        return None
    for key in ("max_size", "max", "min_size"):
        if pool.get(key) is not None:
            return int(pool[key])
    return PSYCOPG_POOL_MIN_SIZE


def application(kind: str, named: str | None) -> tuple[str | None, dict[str, str] | None]:
    """Return "module:attribute" of the application, and why it cannot be imported if so."""
    for module, attribute in candidates(kind, named):
        try:
            if importlib.util.find_spec(module) is None:
                continue
        except (ImportError, ValueError):  # a parent package is missing
            continue
        chosen = os.environ[VARIABLE]
        try:
            getattr(importlib.import_module(module), attribute)
            if os.environ.get(VARIABLE) != chosen:
                return None, {"module": module, "message": insists()}
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001, RUF100 - it may call sys.exit
            message = f"{type(error).__name__}: {error}"
            return None, {"module": module, "message": message[:600]}
        finally:
            os.environ[VARIABLE] = chosen
        return f"{module}:{attribute}", None
    if named:
        return None, {"module": named, "message": "no such module"}
    return None, None


def insists() -> str:
    """Say that a module would serve the project with other settings than those chosen."""
    return f"it sets {VARIABLE} to {os.environ.get(VARIABLE)!r}; use os.environ.setdefault there"


def candidates(kind: str, named: str | None) -> Iterator[tuple[str, str]]:
    """Yield module and attribute: the named one, or `asgi` beside settings, URLs and WSGI."""
    from django.conf import settings

    if named:
        module, _, attribute = str(named).replace(":", ".").rpartition(".")
        yield module, attribute
        return
    seen = set()
    for name in ("SETTINGS_MODULE", "ROOT_URLCONF", "WSGI_APPLICATION"):
        dotted = getattr(settings, name, None)
        parts = dotted.split(".") if isinstance(dotted, str) else []
        for length in range(len(parts) - 1, -1, -1):
            module = ".".join([*parts[:length], kind])
            if module not in seen:
                seen.add(module)
                yield module, "application"


def allowed_host(allowed_hosts: list[str], *, debug: bool) -> str | None:
    """Return a Host header that the project accepts, None when it accepts none."""
    from django.http.request import validate_host

    if debug and not allowed_hosts:
        return "127.0.0.1"
    named = [host.lstrip(".") for host in allowed_hosts if host.strip(".*")]
    for host in ("127.0.0.1", "localhost", *named):
        if validate_host(host, allowed_hosts):
            return host
    return None
