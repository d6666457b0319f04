"""A view that leaves state in the database's session, and looks for it after a release."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from freeloop.relief import release_connections
from tests.relief.releasing.answers import found, in_thread

LEAVE = (
    "SET ROLE pg_read_all_data",
    "SET search_path TO pg_catalog",
    "SELECT pg_advisory_lock(4711)",
    "CREATE TEMPORARY TABLE left_behind (one int)",
    "LISTEN left_behind",
)
FIND = {
    "SET ROLE": "SELECT current_user::text = 'pg_read_all_data'",
    "search_path": "SELECT current_setting('search_path') = 'pg_catalog'",
    "advisory lock": "SELECT count(*) > 0 FROM pg_locks"
    " WHERE locktype = 'advisory' AND objid = 4711 AND pid = pg_backend_pid()",
    "temporary table": "SELECT to_regclass('pg_temp.left_behind') IS NOT NULL",
    "LISTEN": "SELECT count(*) > 0 FROM pg_listening_channels()",
}


async def session_state(_request: HttpRequest) -> HttpResponse:
    """Leave all of it, look, release, look again."""
    await in_thread(_leave)
    before = await in_thread(_find)
    async with release_connections():
        pass
    return found(before=before, after=await in_thread(_find))


async def state_of_others(_request: HttpRequest) -> HttpResponse:
    """Look, without leaving anything."""
    return found(found=await in_thread(_find))


def _leave() -> None:
    with connection.cursor() as cursor:
        # The temporary table comes first: the role may not make one.
        for statement in (*LEAVE[3:], *LEAVE[:3]):
            cursor.execute(statement)


def _find() -> dict[str, Any]:
    with connection.cursor() as cursor:
        facts = {}
        for name, question in FIND.items():
            cursor.execute(question)
            facts[name] = cursor.fetchone()[0]
        return facts


VIEWS = (session_state, state_of_others)
