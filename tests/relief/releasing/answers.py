"""What a view of this site found out, as an answer."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import JsonResponse

from freeloop.relief import ConnectionInUse, release_connections


async def refusal(using: Any = None) -> dict[str, str] | None:
    """Try to release, and return who refused and why, or None."""
    try:
        async with release_connections(using=using):
            return None
    except ConnectionInUse as refused:
        return {"alias": refused.alias, "reason": refused.reason}


async def in_thread(function: Any, *arguments: Any) -> Any:
    """Call it in the request's thread."""
    return await sync_to_async(function)(*arguments)


def process_id(alias: str = "default") -> int:
    """Return which of the server's processes answers; opens the connection if need be."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def opened() -> list[str]:
    """Return the aliases that are connected in this thread."""
    return [each.alias for each in connections.all(initialized_only=True) if each.connection]


def made() -> list[str]:
    """Return the aliases that have a connection object in this thread."""
    return [each.alias for each in connections.all(initialized_only=True)]


def found(**facts: Any) -> JsonResponse:
    """Answer with what was found."""
    return JsonResponse(facts)
