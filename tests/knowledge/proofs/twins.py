"""Async twins, found by the ways in which libraries name them."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any


def twin_of(name: str, resolve: Callable[[str], Any]) -> str | None:
    """Return the async twin of a function or method; None if no way leads to one.

    `get` -> `aget` beside it; `Client.get` -> `AsyncClient.get` in the same module; `redis.Redis`
    -> `redis.asyncio.Redis`.
    """
    owner, _, function = name.rpartition(".")
    if not owner:
        return None
    beside = f"{owner}.__a{function[2:]}" if function.startswith("__") else f"{owner}.a{function}"
    if is_async(resolve(beside)):
        return beside
    if "." not in owner or not isinstance(resolve(owner), type):
        return None
    module, _, cls = owner.rpartition(".")
    top = module.partition(".")[0]
    for other in (f"{module}.Async{cls}", f"{top}.asyncio.{cls}"):
        _loaded(other.rpartition(".")[0])
        if isinstance(resolve(other), type) and resolve(f"{other}.{function}") is not None:
            return f"{other}.{function}"
        method = _inherited(resolve(other), function)
        if isinstance(method, str):
            return f"{other}.{function}"
    return None


def is_async(thing: Any) -> bool:
    """Whether something is a coroutine function or an async generator, below its decorators."""
    thing = inspect.unwrap(getattr(thing, "__func__", thing)) if thing is not None else None
    named = getattr(thing, "__name__", "") in {"__aiter__", "__aenter__"}
    return bool(named) or inspect.iscoroutinefunction(thing) or inspect.isasyncgenfunction(thing)


def _inherited(cls: Any, method: str) -> str | None:
    if isinstance(cls, type) and any(method in vars(each) for each in cls.__mro__[:-1]):
        return method
    return None


@functools.cache
def _loaded(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True
