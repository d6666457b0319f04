"""Frozen dataclasses to plain JSON values and back, driven by their type hints."""

from __future__ import annotations

import math
import types
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None


class Mismatch(ValueError):  # noqa: N818 - it describes data, the caller makes the error
    """The data does not have the shape of the type.

    Attributes:
        place: Path inside the data, such as "a.closed.rounds[2].cpu_ms".
        problem: What was expected and what was found.
    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def to_plain(value: object) -> Json:
    """Return the value as JSON knows it.

    A float that is not finite becomes null: JSON has no sign for it, and it means "not known".
    A value that JSON does not know (a date or a path among replaced settings) becomes its text.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if is_dataclass(value):
        return {part.name: to_plain(getattr(value, part.name)) for part in fields(value)}
    return str(value)


def from_plain[T](kind: type[T], data: object, place: str = "") -> T:
    """Return the dataclass that the data describes.

    Keys that the class does not know are skipped, so that a newer file with the same number can
    be read; fields with a default may be absent. Null for a plain float is "not known": NaN.

    Raises:
        Mismatch: If the data has another shape.
    """
    if not isinstance(data, Mapping):
        raise Mismatch(place or "file", f"expected an object, found {_shown(data)}")
    hints = _hints(cast("Hashable", kind))
    values: dict[str, object] = {}
    for part in fields(kind):  # type: ignore[arg-type]  # callers pass dataclasses
        here = f"{place}.{part.name}" if place else part.name
        if part.name in data:
            values[part.name] = _value(hints[part.name], data[part.name], here)
        elif _required(part):
            raise Mismatch(here, "missing")
    return kind(**values)


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _required(part: Field[Any]) -> bool:
    return part.default is MISSING and part.default_factory is MISSING


def _value(hint: Any, data: object, place: str) -> object:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = [choice for choice in get_args(hint) if choice is not type(None)]
        if len(inner) > 1:
            return _plain(inner, data, place)
        return None if data is None else _value(inner[0], data, place)
    if origin is tuple:
        return _items(get_args(hint)[0], data, place)
    if origin is not None:
        return _mapping(get_args(hint)[1], data, place)
    if hint is object:
        return data
    if is_dataclass(hint) and isinstance(hint, type):
        return from_plain(hint, data, place)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _word(hint, data, place)
    return _scalar(hint, data, place)


def _plain(choices: list[Any], data: object, place: str) -> object:
    """Return a value that may be of several plain types."""
    if data is None or type(data) in choices:
        return data
    names = ", ".join(choice.__name__ for choice in choices)
    raise Mismatch(place, f"expected one of {names}, found {_shown(data)}")


def _items(hint: Any, data: object, place: str) -> tuple[object, ...]:
    if not isinstance(data, list):
        raise Mismatch(place, f"expected a list, found {_shown(data)}")
    return tuple(_value(hint, item, f"{place}[{index}]") for index, item in enumerate(data))


def _mapping(hint: Any, data: object, place: str) -> dict[str, object]:
    if not isinstance(data, Mapping):
        raise Mismatch(place, f"expected an object, found {_shown(data)}")
    return {str(key): _value(hint, item, f"{place}.{key}") for key, item in data.items()}


def _word(hint: type[StrEnum], data: object, place: str) -> StrEnum:
    known = {item.value: item for item in hint}
    if not isinstance(data, str) or data not in known:
        raise Mismatch(place, f"expected one of {', '.join(known)}, found {_shown(data)}")
    return known[data]


def _scalar(hint: Any, data: object, place: str) -> object:
    if hint is float:
        if data is None:
            return math.nan
        if isinstance(data, int | float) and not isinstance(data, bool):
            return float(data)
        raise Mismatch(place, f"expected a number, found {_shown(data)}")
    # bool is a subclass of int, and a flag is no count.
    if isinstance(data, hint) and isinstance(data, bool) == (hint is bool):
        return data
    raise Mismatch(place, f"expected {hint.__name__}, found {_shown(data)}")


def _shown(data: object) -> str:
    text = repr(data)
    return text if len(text) <= 40 else text[:37] + "..."
