"""Django around and below the view: middleware layers and hooks, receivers, view, templates.

Seen on Django 5.2, 6.0 and 6.1. A layer is found by the wrapper that Django puts around each.
"""

from __future__ import annotations

import inspect
import weakref
from functools import partial
from types import CodeType, FrameType, FunctionType
from typing import Any

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call, code_of
from freeloop.record.names import class_name, function_name
from freeloop.record.recorder import Detail, LaneState
from freeloop.record.watch import DoesNotFit, Watch

LIBRARY = ("django.core.handlers.base", "django")
HOOKS = (
    *("process_request", "process_view", "process_response"),
    *("process_exception", "process_template_response"),
)


def install(watch: Watch) -> None:
    """Watch the layers, their hooks, every signal's sending, the resolver and the templates."""
    from django.core.handlers.base import BaseHandler
    from django.core.handlers.exception import convert_exception_to_response
    from django.dispatch import Signal
    from django.template.base import Template

    for code in inner_functions(convert_exception_to_response):
        watch.call(code, Call(MarkKind.MIDDLEWARE, layer), "request")
    install_hooks(watch)
    watch.call(
        BaseHandler.resolve_request,
        Call(MarkKind.VIEW, began=lambda _frame, _lane: None, ended=partial(resolved, watch)),
        "request",
    )
    for name in ("send", "asend", "send_robust", "asend_robust"):
        watch.call(
            getattr(Signal, name),
            Call(MarkKind.RECEIVER, began=partial(sends, watch)),
            "self",
        )
    watch.call(Template.render, Call(MarkKind.TEMPLATE, template), "self")


def inner_functions(function: Any) -> list[CodeType]:
    """Return the code of the functions that a function makes."""
    found = [each for each in code_of(function).co_consts if isinstance(each, CodeType)]
    if not found:
        raise DoesNotFit(f"{function_name(function)} wraps nothing")
    return found


def install_hooks(watch: Watch) -> None:
    """Watch the hooks of every middleware in the settings."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    for path in settings.MIDDLEWARE:
        middleware = import_string(path)
        for name in HOOKS:
            hook = getattr(middleware, name, None)
            if isinstance(hook, FunctionType):
                watch.call(hook, Call(MarkKind.MIDDLEWARE, partial(hook_of, name)))


def layer(frame: FrameType) -> tuple[str, Detail | None] | None:
    """Name the middleware that a wrapper calls; the innermost calls the view, which is no layer."""
    inner = frame.f_locals.get("get_response")
    if getattr(inner, "__name__", "") in {"_get_response", "_get_response_async"}:
        return None
    # Relief's stand-in, like any wrapper by `functools`, leads to what it stands for.
    wrapped = inspect.unwrap(inner) if isinstance(inner, FunctionType) else inner
    if isinstance(wrapped, FunctionType):
        return function_name(wrapped), {"hook": ""}
    return class_name(type(wrapped)), {"hook": ""}


def hook_of(name: str, frame: FrameType) -> tuple[str, Detail | None]:
    """Name the middleware and the hook."""
    return f"{class_name(type(frame.f_locals.get('self')))}.{name}", {"hook": name}


def sends(watch: Watch, frame: FrameType, _lane: LaneState | None) -> None:
    """Watch the receivers of a signal that is being sent."""
    for _key, receiver, *_rest in list(frame.f_locals["self"].receivers):
        function = receiver() if isinstance(receiver, weakref.ref) else receiver
        if isinstance(function, FunctionType):
            function = inspect.unwrap(function)
        try:
            code = code_of(function)
        except TypeError:  # an object that is called, or one that is gone
            continue
        name = function_name(function)
        watch.monitor.watch(code, Call(MarkKind.RECEIVER, partial(receives, name)))


def receives(name: str, _frame: FrameType) -> tuple[str, Detail | None]:
    """Name the receiver."""
    return name, None


def resolved(watch: Watch, _frame: FrameType, match: Any) -> None:
    """Watch the view that the request leads to, and remember the route."""
    if match is None:
        return
    callback = match.func
    name, code = view_of(callback)
    watch.recorder.route = str(match.route or "")
    watch.recorder.view = name
    watch.recorder.async_view = inspect.iscoroutinefunction(callback)
    if code is not None:
        watch.monitor.watch(code, Call(MarkKind.VIEW, partial(receives, name), alone=True))


def view_of(callback: Any) -> tuple[str, CodeType | None]:
    """Return name and code of what the project wrote, behind decorators and `as_view`."""
    view_class = getattr(callback, "view_class", None) or getattr(callback, "cls", None)
    inner = inspect.unwrap(callback)
    named = inner
    while isinstance(inner, partial):
        named = inner = inner.func
    try:
        code: CodeType | None = code_of(inner)
    except TypeError:
        method = vars(type(inner)).get("__call__")
        code = code_of(method) if isinstance(method, FunctionType) else None
        named = type(inner)
    if view_class is not None:
        return class_name(view_class), code
    return (class_name(named) if isinstance(named, type) else function_name(named)), code


def template(frame: FrameType) -> tuple[str, Detail | None]:
    """Name the template."""
    name = getattr(frame.f_locals["self"], "name", None)
    return name if type(name) is str else "template from text", None
