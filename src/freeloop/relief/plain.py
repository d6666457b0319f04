"""Whether a request, a response, a function are Django's own, so that calling them cannot wait."""

from __future__ import annotations

import os
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import django
from django.core.handlers.asgi import ASGIRequest

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

_DJANGO = str(Path(django.__file__).parent) + os.sep

# What Django's middleware calls on a request; an earlier middleware may have put its own there.
_REQUEST_METHODS = frozenset(
    {"build_absolute_uri", "get_full_path", "get_host", "get_port", "is_secure", "scheme"}
)
# What Django's middleware reads and writes on a response.
_RESPONSE_ATTRIBUTES = (
    *("__contains__", "__delitem__", "__getattr__", "__getattribute__", "__getitem__"),
    *("__setattr__", "__setitem__", "close", "content", "cookies", "delete_cookie", "get"),
    *("has_header", "headers", "items", "set_cookie", "setdefault", "status_code", "streaming"),
    *("streaming_content",),
)

# By class; emptied when it is full, so that classes made on the fly do not pile up.
_plain_responses: dict[type, bool] = {}
_REMEMBERED_CLASSES = 1024


def plain_request(request: Any) -> bool:
    """Return whether the request is Django's, with none of its methods replaced."""
    return type(request) is ASGIRequest and vars(request).keys().isdisjoint(_REQUEST_METHODS)


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


def plain_response(response: HttpResponseBase) -> bool:
    """Return whether reading and writing the response runs Django's code only.

    A subclass is fine as long as it leaves alone what middleware touches.
    """
    cls = type(response)
    plain = _plain_responses.get(cls)
    if plain is None:
        if len(_plain_responses) >= _REMEMBERED_CLASSES:
            _plain_responses.clear()
        plain = all(_from_django(cls, name) for name in _RESPONSE_ATTRIBUTES)
        _plain_responses[cls] = plain
    return plain


def own_function(function: Any) -> bool:
    """Return whether the function was written in Django: not wrapped, patched or replaced."""
    # By type: the proxies of monitoring tools hand `__code__` and `__class__` on.
    return type(function) is FunctionType and function.__code__.co_filename.startswith(_DJANGO)


def _from_django(cls: type, name: str) -> bool:
    for base in cls.__mro__:
        if name in base.__dict__:
            return base is object or base.__module__.partition(".")[0] == "django"
    return True
