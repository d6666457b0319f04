"""What the settings say beyond doubt: a name that the whole project mentions once, or never.

A setting that is changed at a second place (`+=`, another settings module, a condition) is not
known: an edit must be right for every deployment of the project.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from freeloop.source.code.graph import Graph
from freeloop.source.code.terms import CONSTANT, DICT, SEQUENCE, Term

NAMES = ("MIDDLEWARE", "AUTHENTICATION_BACKENDS", "AUTH_USER_MODEL", "SESSION_ENGINE", "CACHES")
MENTIONED = re.compile(rf"\b({'|'.join(NAMES)})\b".encode())
SETS_USER = re.compile(rb"\.user\s*=[^=]")
TESTS = frozenset({"tests", "test", "conftest", "testing"})


def doubt_of_settings(graph: Graph) -> str:
    """Return why it is not known what the settings say."""
    found = graph.settings.module and graph.program.index.module(graph.settings.module)
    return "" if found else "the settings were not found"


def texts_of(graph: Graph, name: str) -> list[str] | None:
    """Return the texts of a list in the settings; [] if it is not set, None if it is not known."""
    places = _mentions(graph).get(name, [])
    if not places:
        return []
    value = _value(graph, name)
    if type(value) is not tuple or value[0] != SEQUENCE:
        return None
    found = [_text(each) for each in value[2]]
    return [each for each in found if each] if all(found) else None


def session_engine(graph: Graph) -> str:
    """Return SESSION_ENGINE, Django's default if it is not set, and "" if it is not known."""
    if not _mentions(graph).get("SESSION_ENGINE"):
        return "django.contrib.sessions.backends.db"
    return _text(_value(graph, "SESSION_ENGINE"))


def cache_backend(graph: Graph) -> str:
    """Return the backend of the default cache; "" if it is not known."""
    default = _item(_value(graph, "CACHES"), "default")
    return _text(_item(default, "BACKEND"))


def is_mentioned(graph: Graph, name: str) -> bool:
    """Tell whether any file but tests mentions a setting."""
    return bool(_mentions(graph).get(name))


def sets_user(graph: Graph) -> str:
    """Return a file that sets an attribute `user` of something; "" if none does."""
    return next(iter(_mentions(graph).get("", [])), "")


def _value(graph: Graph, name: str) -> Term:
    places = _mentions(graph).get(name, [])
    module = graph.program.index.module_of(places[0]) if len(places) == 1 else None
    if module is None:
        return None
    found = graph.program.resolver.variables(module).get(name, [])
    return found[0][1] if len(found) == 1 else None


def _text(term: Term) -> str:
    is_text = type(term) is tuple and term[0] == CONSTANT and isinstance(term[1], str)
    return str(term[1]) if is_text else ""


def _item(term: Term, key: str) -> Term:
    if type(term) is not tuple or term[0] != DICT:
        return None
    pairs = zip(term[1], term[2], strict=True)
    return next((value for name, value in pairs if _text(name) == key), None)


@lru_cache(maxsize=1)
def _mentions(graph: Graph) -> dict[str, list[str]]:
    """Return the files that mention each setting, as often as they do; "" is a user that is set."""
    found: dict[str, list[str]] = {}
    for path, file in graph.program.index.files.items():
        parts = file.module.split(".")
        if not TESTS.isdisjoint(parts) or parts[-1].startswith("test_"):
            continue
        try:
            content = Path(path).read_bytes()
        except OSError:
            continue
        for match in MENTIONED.finditer(content):
            found.setdefault(match[1].decode(), []).append(path)
        if SETS_USER.search(content):
            found.setdefault("", []).append(path)
    return found
