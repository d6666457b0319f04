"""Inside the project: which path a request has, and which view answers it."""

from __future__ import annotations

import difflib
import functools
import inspect
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

NEAR = 3


def answer(question: dict[str, Any], _cleanups: list[Callable[[], None]], asked: type) -> object:
    """Return path, view, kind and place for every request, in order."""
    from django.urls import get_resolver

    _ = get_resolver().url_patterns  # imports the URLconf and all that it includes
    return [target(request, question["root"], asked) for request in question["requests"]]


def target(request: dict[str, Any], root: str, asked: type) -> dict[str, object]:
    """Return where one request leads."""
    path = request["url"] if request["url"] is not None else reversed_path(request, asked)
    unknown: dict[str, object] = {
        "path": path,
        "found": None,
        "view": None,
        "is_async": None,
        "place": "",
        "near": [],
    }
    if request["kind"] == "websocket":
        return unknown  # routed by the ASGI application, not by the URLconf
    callback = view_at(path)
    if callback is None:
        return {**unknown, "found": False, "near": near_paths(path)}
    inner = look_through(callback, request["method"])
    return {
        "path": path,
        "found": True,
        "view": f"{inner.__module__}.{inner.__qualname__}",
        "is_async": inspect.iscoroutinefunction(callback),
        "place": place_of(inner, root),
        "near": [],
    }


def reversed_path(request: dict[str, Any], asked: type) -> str:
    """Return the path of a view name with its arguments."""
    from django.urls import NoReverseMatch, reverse

    name = request["view"]
    try:
        return reverse(name, args=request["args"] or None, kwargs=request["kwargs"] or None)
    except NoReverseMatch as error:
        routes = dict(named_routes())
        if name in routes:
            raise asked("arguments", view=name, route=routes[name]) from error
        near = difflib.get_close_matches(name, routes, n=NEAR, cutoff=0.5)
        tails = {known.rpartition(":")[2]: known for known in routes}
        alike = difflib.get_close_matches(name.rpartition(":")[2], tails, n=NEAR, cutoff=0.6)
        near += [tails[tail] for tail in alike]
        raise asked("view", view=name, near=list(dict.fromkeys(near))[:NEAR]) from error


def view_at(url: str) -> Callable[..., object] | None:
    """Return the callable that Django's URLconf has for a path."""
    from django.urls import Resolver404, get_script_prefix, resolve
    from django.utils import translation

    path = unquote(urlsplit(url).path)
    prefix = get_script_prefix()
    if prefix != "/" and path.startswith(prefix):
        path = "/" + path[len(prefix) :]
    language = translation.get_language_from_path(path) or translation.get_language()
    with translation.override(language):
        try:
            return resolve(path).func
        except Resolver404:
            return None


def look_through(callback: Any, method: str) -> Any:
    """Return the class or function that the project wrote, behind decorators and `as_view`."""
    while isinstance(callback, functools.partial):
        callback = callback.func
    view_class = getattr(callback, "view_class", None) or getattr(callback, "cls", None)
    if view_class is not None:
        return view_class
    # django-ninja 1.7: the callable closes over an object that holds one operation a method.
    closure = inspect.getclosurevars(callback).nonlocals if inspect.isfunction(callback) else {}
    for operation in getattr(closure.get("self"), "operations", ()):
        if method in operation.methods:
            return inspect.unwrap(operation.view_func)
    inner = inspect.unwrap(callback)
    return inner if hasattr(inner, "__qualname__") else type(inner)


def place_of(view: Any, root: str) -> str:
    """Return "file:line" of the `def` or `class`.

    The file is as seen from the root, or from site-packages: where that lies tells nobody anything.
    """
    try:
        lines, first = inspect.getsourcelines(view)
        filename = inspect.getsourcefile(view) or ""
    except (OSError, TypeError):
        return ""
    starts = ("def ", "async def ", "class ")
    offsets = (n for n, line in enumerate(lines) if line.lstrip().startswith(starts))
    _, is_installed, tail = filename.rpartition(f"{os.sep}site-packages{os.sep}")
    shown = tail if is_installed else filename.removeprefix(root + os.sep)
    return f"{shown}:{first + next(offsets, 0)}"


def near_paths(path: str) -> list[str]:
    """Return known paths without arguments that look like this one."""
    known = ["/" + route for route, _ in routes() if not set("<^(\\") & set(route)]
    return difflib.get_close_matches(urlsplit(path).path, known, n=NEAR, cutoff=0.5)


def named_routes() -> Iterator[tuple[str, str]]:
    """Yield every view name with its route."""
    for route, name in routes():
        if name:
            yield name, "/" + route


def routes(resolver: Any = None, route: str = "", namespace: str = "") -> Iterator[tuple[str, str]]:
    """Yield route and full name ("" without one) of every pattern of the URLconf."""
    from django.urls import URLResolver, get_resolver

    for pattern in (resolver or get_resolver()).url_patterns:
        below = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern, below, inner)
        else:
            yield below, f"{namespace}{pattern.name}" if pattern.name else ""
