"""Whether a setting is a plain value, so that reading it runs nobody's code.

Some projects keep objects among their settings that ask a database when they are used. A hook that
reads such a setting belongs in the request's thread.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import Enum
from types import NoneType
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = frozenset({bool, bytes, float, int, NoneType, re.Pattern, str, timedelta})
_COLLECTIONS = frozenset({frozenset, list, set, tuple})

_changes = 0


def plain_value(value: object) -> bool:
    """Return whether the value is built in, and all that is in it."""
    # By type: a lazy object's `__class__` would make it ask.
    cls = type(value)
    if cls in _PLAIN:
        return True
    if cls in _COLLECTIONS:
        each: Any = value
        return all(map(plain_value, each))
    if cls is dict:
        table: Any = value
        return all(map(plain_value, table)) and all(map(plain_value, table.values()))
    # The words of a content security policy.
    return issubclass(cls, Enum) and issubclass(cls, str)


class PlainSettings:
    """The settings that a hook reads; looked at again after one was changed.

    Args:
        prefixes: What their names begin with.
    """

    def __init__(self, *prefixes: str) -> None:
        self._prefixes = prefixes
        self._seen = -1
        self._plain = False

    def __call__(self) -> bool:
        """Return whether all of them are plain values."""
        if self._seen != _changes:
            self._seen = _changes
            self._plain = not any(self.others())
        return self._plain

    def others(self) -> Iterator[str]:
        """Give the names of those that are not."""
        for name in dir(settings) if self._prefixes else ():
            if name.startswith(self._prefixes) and not plain_value(getattr(settings, name)):
                yield name


def _note_change(**_signal: object) -> None:
    global _changes
    _changes += 1


# Sent by `override_settings` in tests, never while requests are served.
setting_changed.connect(_note_change)
