"""Values as text by their type: bounded, masked, and never by code of the project or a library.

`repr` of a queryset runs SQL, `==` of an array is an array, `len` may be a query: none of these is
called. What a value is, is asked of its type alone, and only exact builtin types are looked into.
"""

from __future__ import annotations

import datetime as dt
import decimal
import pathlib
import re
import types
import uuid
import zoneinfo
from typing import Any

from freeloop.record.names import class_name

LONGEST = 60
MOST_ITEMS = 5
MOST_BITS = 256
MASKED = "(masked)"
SECRET = re.compile(
    r"pass(word|wd|phrase)|secret|token|cookie|authorization|api_?key|session|credential|csrf|\bpwd",
    re.IGNORECASE,
)
# A URL with a password, and what an Authorization header holds.
SECRET_TEXT = re.compile(r"(?<=://)[^/@\s]+(?=@)|(?<=\b[Bb]earer )\S+|(?<=\b[Bb]asic )\S+")


def shown(name: str, value: object) -> str:
    """Return the value of a variable as text."""
    if SECRET.search(name):
        return value_of(value) if value is None or type(value) is bool else MASKED
    return value_of(value)


def value_of(value: object, *, inside: bool = False) -> str:
    """Return a value as text.

    Args:
        value: Anything.
        inside: It lies in a container: containers in it are told by type and length.
    """
    kind = type(value)
    if value is None or kind is bool or kind is float or kind is complex:
        return repr(value)
    if kind is int:
        bits = int.bit_length(value)  # type: ignore[arg-type]
        return repr(value) if bits <= MOST_BITS else f"int of {bits} bits"
    if kind is str:
        return _text(value)  # type: ignore[arg-type]
    if kind is bytes or kind is bytearray:
        return f"{kind.__name__}, {len(value)} bytes"  # type: ignore[arg-type]
    if id(kind) in CONTAINERS:
        return _container(value, kind, inside=inside)
    if id(kind) in PLAIN or _is_plain_time(value, kind):
        return _bounded(str(value))
    return _other(value, kind)


def shown_error(error: BaseException) -> str:
    """Return "ValueError: text", the text only where the exception was given one."""
    name = class_name(type(error))
    arguments = BaseException.__dict__["args"].__get__(error)
    first = arguments[0] if arguments else None
    if type(first) is str and first:
        return f"{name}: {_bounded(SECRET_TEXT.sub(MASKED, first), 200)}"
    return name


def _text(value: str) -> str:
    safe = SECRET_TEXT.sub(MASKED, value[: 4 * LONGEST])
    cut = safe[:LONGEST]
    return repr(cut) if len(value) <= LONGEST else f"{cut!r}... {len(value)} characters"


def _bounded(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _container(value: Any, kind: type, *, inside: bool) -> str:
    length = kind.__len__(value)  # type: ignore[attr-defined] # of an exact builtin type
    head = f"{kind.__name__} of {length}"
    if inside or not length:
        return head
    items = []
    try:
        for index, item in enumerate(dict.items(value) if kind is dict else value):
            if index == MOST_ITEMS:
                items.append("...")
                break
            items.append(_pair(*item) if kind is dict else value_of(item, inside=True))
    except RuntimeError:  # another thread changes it
        return head
    return f"{head}: {_bounded(', '.join(items), 3 * LONGEST)}"


def _pair(key: Any, held: Any) -> str:
    secret = type(key) is str and SECRET.search(key)
    text = MASKED if secret and held is not None else value_of(held, inside=True)
    return f"{value_of(key, inside=True)}: {text}"


def _other(value: object, kind: type) -> str:
    name = str(type.__dict__["__qualname__"].__get__(kind))
    if id(kind) in NAMED:
        return f"{NAMED[id(kind)]} {_qualname(value)}"
    mro = type.__dict__["__mro__"].__get__(kind)
    if any(base is type for base in mro):
        return f"class {type.__dict__['__qualname__'].__get__(value)}"
    bases = {class_name(base) for base in mro}
    if "django.db.models.query.QuerySet" in bases:
        return _queryset(value, name)
    if "django.db.models.base.Model" in bases:
        return _model(value, kind, name)
    if any(base is str for base in mro):
        return f"{name} {_text(str.__str__(value))}"
    return name


def _model(value: object, kind: Any, name: str) -> str:
    state = _state(value)
    try:
        key = state.get(kind._meta.pk.attname)
    except AttributeError:
        return name
    if type(key) is int or type(key) is str or type(key) is uuid.UUID:
        return f"{name} pk={value_of(key)}"
    return f"{name}, not saved" if key is None else name


def _queryset(value: object, name: str) -> str:
    rows = _state(value).get("_result_cache")
    if type(rows) is list:
        return f"{name}, {list.__len__(rows)} rows"
    return f"{name}, not evaluated"


def _state(value: object) -> dict[str, Any]:
    """Return the attributes of an object, read past any `__getattr__` or property of its class."""
    try:
        state = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return state if type(state) is dict else {}


def _qualname(value: Any) -> str:
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", "")
    return name if type(name) is str else ""


def _is_plain_time(value: Any, kind: type) -> bool:
    if kind is not dt.datetime:
        return False
    zone = type(value.tzinfo)
    return value.tzinfo is None or zone is dt.timezone or zone is zoneinfo.ZoneInfo


def _ids(*kinds: type) -> frozenset[int]:
    # By identity: a class of the project may bring a metaclass with an `==` of its own.
    return frozenset(map(id, kinds))


CONTAINERS = _ids(list, tuple, dict, set, frozenset)
# Exact types whose text is made by the standard library alone.
PLAIN = _ids(uuid.UUID, decimal.Decimal, pathlib.PosixPath, dt.date, dt.timedelta)
NAMED = {
    id(types.FunctionType): "function",
    id(types.BuiltinFunctionType): "function",
    id(types.MethodType): "method",
    id(types.CoroutineType): "coroutine",
    id(types.GeneratorType): "generator",
    id(types.AsyncGeneratorType): "async generator",
    id(types.ModuleType): "module",
    id(type): "class",
}
