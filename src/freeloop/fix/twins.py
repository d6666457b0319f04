"""The async twins of the installed Django, read from its source: nothing of it is imported.

A twin counts when it is an `async def` named with an `a` in front, with the same parameters.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Where the classes are that findings speak of; the source says what they have.
QUERYSET = ("db/models/query.py", "QuerySet")
MODEL = ("db/models/base.py", "Model")
RELATED = ("db/models/fields/related_descriptors.py", "RelatedManager")
MANY_RELATED = ("db/models/fields/related_descriptors.py", "ManyRelatedManager")
SESSION = ("contrib/sessions/backends/base.py", "SessionBase")
CACHE = ("core/cache/backends/base.py", "BaseCache")
AUTH_MIDDLEWARE = ("contrib/auth/middleware.py", "")

type Where = tuple[str, str]


def twin(where: Where, name: str) -> str:
    """Return the name of the twin of a method or function; "" if there is none.

    Args:
        where: File below Django's directory, and the class in it; "" for its functions.
        name: Of the sync one.
    """
    known = _functions(*where)
    sync, made = known.get(name), known.get(f"a{name}")
    if sync is None or made is None or sync[0] or not made[0]:
        return ""
    return f"a{name}" if sync[1] == made[1] else ""


def has(where: Where, name: str) -> bool:
    """Return whether a class or file of the installed Django has a function of a name."""
    return name in _functions(*where)


def has_coroutine(where: Where, name: str) -> bool:
    """Tell whether a class or file of the installed Django has an async function of a name."""
    return _functions(*where).get(name, (False, ""))[0]


def file_of(module: str) -> str:
    """Return where a module of Django is below its directory: "shortcuts.py"."""
    parts = module.split(".")[1:]
    whole = _django() / "/".join(parts) if parts else _django()
    return "/".join([*parts, "__init__.py"]) if whole.is_dir() else "/".join(parts) + ".py"


@cache
def _functions(file: str, cls: str) -> dict[str, tuple[bool, str]]:
    """Return of each function whether it is async, and its parameters."""
    path = _django() / file
    if not path.is_file():
        return {}
    tree = ast.parse(path.read_bytes())
    body = tree.body
    if cls:
        body = next(
            (
                node.body
                for node in ast.walk(tree)
                if isinstance(node, ast.ClassDef) and node.name == cls
            ),
            [],
        )
    return {
        node.name: (isinstance(node, ast.AsyncFunctionDef), ast.dump(node.args))
        for node in _defined(body)
    }


def _defined(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield functions, also those that a condition defines: `clear` of a nullable relation."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif isinstance(node, ast.If):
            yield from _defined([*node.body, *node.orelse])


@cache
def _django() -> Path:
    found = importlib.util.find_spec("django")
    places = found.submodule_search_locations if found is not None else None
    return Path(next(iter(places))) if places else Path()
