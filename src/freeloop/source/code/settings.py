"""Settings read as text: what decides whether a call on the loop costs anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freeloop.source.code.index import Index, Module
from freeloop.source.code.terms import (
    ANNOTATED,
    ASSIGN,
    AUGMENT,
    CALL,
    CHOICE,
    CLASS,
    CONSTANT,
    DICT,
    OPERATION,
    SEQUENCE,
    STARRED,
    Term,
)

USER_IN_TEMPLATES = "django.contrib.auth.context_processors.auth"
# Loads the user of every request, in a thread.
LOOKS_AT_USER = "django.contrib.auth.middleware.LoginRequiredMiddleware"
IN_MEMORY = ("LocMemCache", "DummyCache")


@dataclass(frozen=True, slots=True)
class Settings:
    """What was read of the settings module; "" and empty for what it does not say.

    Attributes:
        module: Its name; "" without one.
        urlconf: ROOT_URLCONF.
        asgi: ASGI_APPLICATION.
        middleware: MIDDLEWARE, as far as its items are written out.
        middleware_whole: Whether all of them are.
        cache_backend: Backend of the default cache.
        session_engine: SESSION_ENGINE.
        atomic_requests: Whether a database has ATOMIC_REQUESTS.
        conn_max_age: CONN_MAX_AGE of the default database, 0 if it is not a number in the code.
        pooled: Whether a database has a pool.
        unpooled: Whether the default database is PostgreSQL, written out, that every request
            connects to anew.
        pool_size: Most connections of the default database's pool, for each process; None if no
            number tells it.
        database: ENGINE of the default database, or the address that a call gets as its default;
            "" when neither is written out.
        wsgi: WSGI_APPLICATION.
        databases_at: File and line of DATABASES.
        user_in_templates: Whether templates have `user`, and nothing has looked at it before.
        storage: Backend of the default storage.
    """

    module: str = ""
    urlconf: str = ""
    asgi: str = ""
    middleware: tuple[str, ...] = ()
    middleware_whole: bool = False
    cache_backend: str = ""
    session_engine: str = ""
    atomic_requests: bool = False
    conn_max_age: int = 0
    pooled: bool = False
    unpooled: bool = False
    pool_size: int | None = None
    database: str = ""
    wsgi: str = ""
    databases_at: tuple[str, int] = ("", 0)
    user_in_templates: bool = False
    storage: str = ""

    @property
    def counts_connections(self) -> bool:
        """Whether the default database is a server, which refuses connections beyond a limit."""
        return any(name in self.database for name in ("postg", "psycopg", "mysql", "oracle"))

    @property
    def stores_elsewhere(self) -> bool:
        """Whether the default storage is another machine's, not a directory."""
        return bool(self.storage) and not self.storage.endswith("FileSystemStorage")

    @property
    def session_in_cookie(self) -> bool:
        """Whether sessions need no store."""
        return self.session_engine.endswith("signed_cookies")

    @property
    def session_in_database(self) -> bool:
        """Whether sessions are rows."""
        return not self.session_engine or self.session_engine.endswith((".db", "cached_db"))

    @property
    def cache_waits(self) -> str | None:
        """What the default cache waits for; None when it lives in memory, as Django's default."""
        name = self.cache_backend.rpartition(".")[2]
        if not name or name in IN_MEMORY:
            return None
        if name == "DatabaseCache":
            return "db"
        return "file" if name == "FileBasedCache" else "net"


def read_settings(index: Index, name: str) -> Settings:
    """Return what the settings module says in plain values; it is never run.

    Args:
        index: The project.
        name: Dotted name of the settings module; "" if there is none.
    """
    module = index.module(name) if name else None
    if module is None:
        return Settings(module=name)
    values: dict[str, Term] = {}
    places: dict[str, tuple[str, int]] = {}
    _read(index, module, values, places, set())
    databases = _items(values.get("DATABASES"))
    default = _items(databases.get("default"))
    options = _items(default.get("OPTIONS"))
    cache = _items(_items(values.get("CACHES")).get("default"))
    age = _plain(default.get("CONN_MAX_AGE"))
    size = _plain(_items(options.get("pool")).get("max_size"))
    return Settings(
        module=name,
        urlconf=_text(values.get("ROOT_URLCONF")),
        asgi=_text(values.get("ASGI_APPLICATION")),
        middleware=tuple(_texts(values.get("MIDDLEWARE"))),
        middleware_whole=_is_whole(values.get("MIDDLEWARE")),
        cache_backend=_text(cache.get("BACKEND")),
        session_engine=_text(values.get("SESSION_ENGINE")),
        atomic_requests=any(
            _plain(_items(each).get("ATOMIC_REQUESTS")) is True for each in databases.values()
        ),
        conn_max_age=age if isinstance(age, int) else 0,
        pooled="pool" in options,
        unpooled=_is_unpooled(default),
        pool_size=size if isinstance(size, int) else None,
        database=_text(default.get("ENGINE")) or _address(databases.get("default")),
        wsgi=_text(values.get("WSGI_APPLICATION")),
        user_in_templates=_holds(values.get("TEMPLATES"), USER_IN_TEMPLATES)
        and not _holds(values.get("MIDDLEWARE"), LOOKS_AT_USER),
        storage=_text(_items(_items(values.get("STORAGES")).get("default")).get("BACKEND"))
        or _text(values.get("DEFAULT_FILE_STORAGE")),
        databases_at=places.get("DATABASES", (module.file.path, 1)),
    )


def _read(
    index: Index,
    module: Module,
    values: dict[str, Term],
    places: dict[str, tuple[str, int]],
    seen: set[str],
) -> None:
    """Read a module after those whose names it takes with a star."""
    if module.name in seen:
        return
    seen.add(module.name)
    for star in module.stars:
        base = index.module(star)
        if base is not None:
            _read(index, base, values, places, seen)
    for term in module.body.body:
        # Settings as classes (django-configurations): the first is the base of the others.
        is_first = term[0] == CLASS and not module.classes[term[1]].name.startswith("Prod")
        for name, value, line in _set_by(module, term):
            if not (is_first and name in values):
                values[name] = value
                places[name] = (module.file.path, line)
        if term[0] == AUGMENT and type(term[1]) is str:
            values[term[1]] = (OPERATION, "Add", values.get(term[1]), term[2])


def _set_by(module: Module, term: Term) -> Iterator[tuple[str, Term, int]]:
    """Yield name, value and line of each setting that a statement gives a value."""
    tag = term[0]
    if tag == ASSIGN:
        yield from ((each, term[2], term[3]) for each in term[1] if type(each) is str)
    elif tag == ANNOTATED and type(term[1]) is str:
        yield term[1], term[3], term[4]
    elif tag == CLASS:
        for name, (_, value, line) in module.classes[term[1]].attributes.items():
            if name.isupper():
                yield name, value, line


def _items(term: Term) -> dict[str, Term]:
    """Return the items of a dict that is written out, also of one of two in a condition."""
    if type(term) is not tuple:
        return {}
    if term[0] == DICT:
        return {
            key[1]: value
            for key, value in zip(term[1], term[2], strict=True)
            if type(key) is tuple and key[0] == CONSTANT and isinstance(key[1], str)
        }
    if term[0] == CHOICE:
        return {**_items(term[3]), **_items(term[2])}
    if term[0] == CALL and term[1] == "dict":
        return {name: value for name, value in term[3] if name}
    return {}


def _plain(term: Term) -> object:
    return term[1] if type(term) is tuple and term[0] == CONSTANT else None


def _text(term: Term) -> str:
    """Return a text, or the plain default of a call such as `env("X", default="y")`."""
    found = _plain(term)
    if isinstance(found, str):
        return found
    if type(term) is tuple and term[0] == CALL:
        given = [*term[2][1:], *(value for name, value in term[3] if name == "default")]
        return next((text for each in given if isinstance(text := _plain(each), str)), "")
    return ""


def _is_unpooled(database: dict[str, Term]) -> bool:
    if not _text(database.get("ENGINE")).endswith("postgresql"):
        return False
    options = database.get("OPTIONS")
    if "CONN_MAX_AGE" in database and _plain(database["CONN_MAX_AGE"]) != 0:
        return False
    if options is not None and (type(options) is not tuple or options[0] != DICT):
        return False
    if "pool" in _items(options):
        return False
    host, port = database.get("HOST"), str(_plain(database.get("PORT")) or "")
    return "bounce" not in _text(host).lower() and port != "6432"


def _holds(term: Term, text: str) -> bool:
    """Tell whether a text stands anywhere below a term."""
    if type(term) is tuple:
        return any(_holds(each, text) for each in term)
    return type(term) is str and term == text


def _address(term: Term) -> str:
    """Return the scheme of the address in a call such as `env.db("X", default="mysql://...")`."""
    if type(term) is not tuple or term[0] != CALL:
        return ""
    given = [*term[2], *(value for _, value in term[3])]
    found = (text for each in given if isinstance(text := _plain(each), str) and "://" in text)
    return next(found, "").partition("://")[0]


def _texts(term: Term) -> list[str]:
    if type(term) is not tuple:
        return []
    if term[0] == SEQUENCE:
        found: list[str] = []
        for each in term[2]:
            inner = each[1] if type(each) is tuple and each[0] == STARRED else None
            found += _texts(inner) if inner else [text] if (text := _text(each)) else []
        return found
    if term[0] == OPERATION:
        return [*_texts(term[2]), *_texts(term[3])]
    return []


def _is_whole(term: Term) -> bool:
    """Tell whether every item of a list is written out."""
    if type(term) is not tuple:
        return False
    if term[0] == OPERATION:
        return _is_whole(term[2]) and _is_whole(term[3])
    if term[0] != SEQUENCE:
        return False
    return all(
        _is_whole(each[1]) if type(each) is tuple and each[0] == STARRED else _text(each)
        for each in term[2]
    )
