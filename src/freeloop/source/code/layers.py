"""Layers: the middleware of the settings that the project wrote itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freeloop.source.code.index import Class, Func
from freeloop.source.code.kinds import ClassRef, FuncRef
from freeloop.source.code.program import Program
from freeloop.source.code.settings import Settings


@dataclass(frozen=True, slots=True)
class Layer:
    """One middleware that is code of the project.

    Attributes:
        name: As the settings name it.
        place: Its place in MIDDLEWARE, the outermost is 1.
        code: Class or function.
        sync_only: Whether Django must run it in a thread under ASGI; False where reading does
            not tell.
    """

    name: str
    place: int
    code: Class | Func
    sync_only: bool


def find_layers(program: Program, settings: Settings) -> Iterator[Layer]:
    """Yield the project's own layers, the outermost first."""
    for place, name in enumerate(settings.middleware, 1):
        kind = program.resolver.dotted(name)
        if isinstance(kind, ClassRef):
            yield Layer(name, place, kind.cls, _is_sync_class(program, kind.cls))
        elif isinstance(kind, FuncRef):
            yield Layer(name, place, kind.func, _is_sync_function(kind.func))


def _is_sync_class(program: Program, cls: Class) -> bool:
    """Tell whether a class has a plain `__call__` and claims nothing about async."""
    order = program.resolver.mro(cls)
    if any(isinstance(each, str) and each != "object" for each in order):
        return False
    own = [each for each in order if isinstance(each, Class)]
    claims = {"async_capable", "sync_capable", "_is_coroutine"}
    if any(claims & (each.attributes.keys() | each.given.keys()) for each in own):
        return False
    bases = [(each, base) for each in own for base in each.bases]
    if any(program.evaluate(each.module.body, base) is None for each, base in bases):
        return False
    if any("__acall__" in each.methods for each in own):
        return False
    call = program.resolver.method(cls, "__call__")
    return call is not None and not call.is_async


def _is_sync_function(func: Func) -> bool:
    """Tell whether a factory gives a plain function."""
    if func.is_async or func.decorators:
        return False
    inner = [each for each in func.module.functions if each.outer is func]
    return bool(inner) and not any(each.is_async for each in inner)
