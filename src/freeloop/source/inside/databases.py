"""Inside the project: does one database answer?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def answer(question: dict[str, Any], _cleanups: list[Callable[[], None]], asked: type) -> object:
    """Connect to the database of an alias and return its version; nothing is written."""
    from django.db import DatabaseError, connections

    connection = connections[question["alias"]]
    if connection.vendor == "dummy":
        raise asked("no-database")
    if connection.vendor == "sqlite":
        refuse_missing_file(str(connection.settings_dict["NAME"]), asked)
    try:
        connection.ensure_connection()
        version = ".".join(str(part) for part in connection.get_database_version())
    except DatabaseError as error:
        raise asked("unreachable", message=str(error).strip()) from error
    finally:
        connections.close_all()
    return {"vendor": connection.display_name, "version": version}


def refuse_missing_file(name: str, asked: type) -> None:
    """Say that the file is missing: connecting would make an empty one."""
    in_memory = ":memory:" in name or "mode=memory" in name or name.startswith("file:")
    if not in_memory and not Path(name).exists():
        raise asked("no-file", name=name)
