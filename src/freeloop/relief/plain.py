"""Whether a request, a response, a function are Django's own, so that calling them cannot wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from http.cookies import SimpleCookie
from operator import attrgetter
from pathlib import Path
from types import FunctionType
from typing import Any

import django
from django.core.handlers.asgi import ASGIRequest
from django.http.response import HttpResponseBase, ResponseHeaders

_DJANGO = str(Path(django.__file__).parent) + os.sep

# What Django's middleware calls on a request; an earlier middleware may have put its own there.
_REQUEST_METHODS = frozenset(
    {"build_absolute_uri", "get_full_path", "get_host", "get_port", "is_secure", "scheme"}
)
# What Django's middleware reads and writes on a response.
_RESPONSE_ATTRIBUTES = (
    *("__contains__", "__delitem__", "__getattr__", "__getattribute__", "__getitem__"),
    *("__setattr__", "__setitem__", "content", "cookies", "delete_cookie", "get"),
    *("has_header", "headers", "items", "set_cookie", "setdefault", "status_code", "streaming"),
    *("streaming_content",),
)
# Of these, the ones that an object can have in the place of its class's.
_RESPONSE_METHODS = frozenset(
    {"delete_cookie", "get", "has_header", "items", "set_cookie", "setdefault"}
)

# By class: what reads the attributes, what they were, and the answer. A tool may patch a class at
# any time. Emptied when it is full, so that classes made on the fly do not pile up.
_plain_responses: dict[type, tuple[Callable[[type], object], object, bool]] = {}
_REMEMBERED_CLASSES = 1024


# Django parses cookies when they are first read.
_NOT_PARSED: dict[str, str] = {}


def plain_request(request: Any) -> bool:
    """Return whether the request is Django's, with nothing replaced that middleware uses."""
    if type(request) is not ASGIRequest:
        return False
    has = vars(request)
    return (
        has.keys().isdisjoint(_REQUEST_METHODS)
        and type(has.get("META")) is dict
        and type(has.get("COOKIES", _NOT_PARSED)) is dict
    )


def own_request_class() -> bool:
    """Return whether nobody has patched what Django's middleware calls on a request."""
    found = (getattr(ASGIRequest, name) for name in _REQUEST_METHODS)
    return all(own_function(getattr(each, "fget", each)) for each in found)


def own_class(cls: type) -> bool:
    """Return whether every method of the class and its bases was written in Django."""
    methods = (
        each
        for base in cls.__mro__
        if base is not object
        for each in vars(base).values()
        if callable(each) and not isinstance(each, type)
    )
    return all(own_function(each) for each in methods)


def plain_response(response: object) -> bool:
    """Return whether reading and writing the response runs Django's code only.

    A subclass is fine as long as it leaves alone what middleware touches. What is no response at
    all, such as the None of a `process_response` that forgot to return, is for Django to refuse.
    """
    if not issubclass(type(response), HttpResponseBase):
        return False
    has = vars(response)
    if (
        type(has.get("headers")) is not ResponseHeaders
        or type(has.get("cookies")) is not SimpleCookie
        or not has.keys().isdisjoint(_RESPONSE_METHODS)
    ):
        return False
    cls = type(response)
    kept = _plain_responses.get(cls)
    if kept is not None:
        read, before, plain = kept
        if read(cls) == before:
            return plain
    return _remembered(cls)


def _remembered(cls: type) -> bool:
    """Look at a class of responses, and remember what was seen and concluded."""
    if len(_plain_responses) >= _REMEMBERED_CLASSES:
        _plain_responses.clear()
    read = attrgetter(*(name for name in _RESPONSE_ATTRIBUTES if hasattr(cls, name)))
    plain = all(_from_django(cls, name) for name in _RESPONSE_ATTRIBUTES)
    _plain_responses[cls] = read, read(cls), plain
    return plain


def own_function(function: Any) -> bool:
    """Return whether the function was written in Django: not wrapped, patched or replaced."""
    # By type: the proxies of monitoring tools hand `__code__` and `__class__` on.
    return type(function) is FunctionType and function.__code__.co_filename.startswith(_DJANGO)


def _from_django(cls: type, name: str) -> bool:
    for base in cls.__mro__:
        if name in base.__dict__:
            return base is object or _is_own(base, base.__dict__[name])
    return True


def _is_own(cls: type, found: Any) -> bool:
    if isinstance(found, property):
        return all(own_function(each) for each in (found.fget, found.fset) if each is not None)
    if callable(found):
        return own_function(found)
    return cls.__module__.partition(".")[0] == "django"
