"""Names of functions and classes for people; never by `repr`, which may run the project's code."""

from __future__ import annotations

import functools
from typing import Any

# What Django puts around each link of the chain; whose link it is tells more.
LINK = "convert_exception_to_response.<locals>.inner"


def function_name(function: Any) -> str:
    """Return "module.qualname" of what is really called, behind partials and adapters."""
    inner = called(function)
    owner = getattr(inner, "__self__", None)
    named = getattr(inner, "__func__", inner)
    qualname = getattr(named, "__qualname__", None)
    if type(qualname) is not str:
        named, qualname = type(inner), type(inner).__qualname__
    module = getattr(named, "__module__", None)
    if type(module) is not str:  # a method of a C class knows its class alone
        module = type(owner).__module__ if owner is not None else ""
    return f"{module}.{qualname}" if module and module != "builtins" else qualname


def called(function: Any) -> Any:
    """Return the function behind partials, adapters and Django's wrapper around each middleware."""
    while type(function) is functools.partial:
        inner = function.func
        adapter = getattr(inner, "__self__", None)
        if type(adapter).__name__ == "SyncToAsync":
            function = vars(adapter).get("func", adapter)
        elif type(adapter).__name__ == "Context" and function.args:
            function = function.args[0]
        else:
            function = inner
    if getattr(function, "__qualname__", None) == LINK and "__wrapped__" in vars(function):
        return function.__wrapped__
    return function


def class_name(kind: type) -> str:
    """Return "module.Class"; builtins without their module."""
    name = type.__dict__["__qualname__"].__get__(kind)
    # Not by `__get__`: a class may have a property of that name.
    module = type.__dict__["__dict__"].__get__(kind).get("__module__", "builtins")
    plain = type(module) is str and module != "builtins"
    return f"{module}.{name}" if plain else str(name)
