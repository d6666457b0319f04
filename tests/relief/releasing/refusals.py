"""Views that hold a connection in every way there is, and try to release it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.http import HttpRequest, HttpResponse

from freeloop.relief import ConnectionInUse
from freeloop.relief.connections import _release
from tests.relief.releasing.answers import found, in_thread, opened, process_id, refusal


async def atomic(_request: HttpRequest) -> HttpResponse:
    """Inside of a transaction; another database is connected, too."""
    block: Any = transaction.atomic()
    before = await in_thread(process_id), await in_thread(process_id, "second")
    await in_thread(block.__enter__)
    refused = await refusal()
    after = await in_thread(process_id), await in_thread(process_id, "second")
    await in_thread(block.__exit__, None, None, None)
    return found(refused=refused, kept=before == after, later=await refusal())


async def autocommit_off(_request: HttpRequest) -> HttpResponse:
    """A transaction may be open without Django knowing."""
    await in_thread(process_id)
    await in_thread(lambda: transaction.set_autocommit(False))
    refused = await refusal()
    await in_thread(lambda: connection.rollback())
    await in_thread(lambda: transaction.set_autocommit(True))
    return found(refused=refused, later=await refusal())


async def on_commit(_request: HttpRequest) -> HttpResponse:
    """A function waits for the commit; outside of atomic only without autocommit."""
    ran: list[int] = []

    def register() -> None:
        transaction.set_autocommit(False)
        with transaction.atomic():
            transaction.on_commit(lambda: ran.append(1))

    await in_thread(register)
    refused = await refusal()
    await in_thread(lambda: connection.commit())
    await in_thread(lambda: transaction.set_autocommit(True))
    return found(refused=refused, ran=len(ran), later=await refusal())


async def iterator(_request: HttpRequest) -> HttpResponse:
    """A server-side cursor between two rows; the iteration goes on after the refusal."""
    names, refused = [], None
    async for user in User.objects.order_by("pk").aiterator(chunk_size=2):
        names.append(user.username)
        refused = refused or await refusal()
    return found(refused=refused, names=len(names), later=await refusal())


async def left_iterator(_request: HttpRequest) -> HttpResponse:
    """An iteration that was left: what the database has, and the release, in one hop."""
    rows = aiter(User.objects.order_by("pk").aiterator(chunk_size=2))
    await anext(rows)
    refused = await refusal()
    await rows.aclose()  # type: ignore[attr-defined]
    del rows
    return found(refused=refused, **await in_thread(_count_and_release))


def _count_and_release() -> dict[str, Any]:
    cursors = "SELECT count(*) FROM pg_cursors WHERE name LIKE '_django_curs_%'"
    # Past Django, so that nothing is opened or freed in between.
    driver: Any = connection.connection
    left = int(driver.execute(cursors).fetchone()[0])
    try:
        _release(("default",))
    except ConnectionInUse as later:
        return {"left": left, "later": later.reason}
    return {"left": left, "later": None}


async def server_side_cursor(_request: HttpRequest) -> HttpResponse:
    """A named cursor, opened by hand."""

    def read() -> Any:
        cursor = connection.chunked_cursor()
        cursor.execute("SELECT generate_series(1, 10)")
        cursor.fetchone()
        return cursor

    # A named cursor wants a transaction, or to outlive it: Django declares it WITH HOLD.
    cursor = await in_thread(read)
    refused = await refusal()
    row = await in_thread(cursor.fetchone)
    await in_thread(cursor.close)
    return found(refused=refused, row=row[0], later=await refusal())


async def plain_cursor(request: HttpRequest) -> HttpResponse:
    """A cursor that was not closed; on PostgreSQL or, with ?using=file, SQLite."""
    alias = request.GET.get("using", "default")

    def read() -> Any:
        cursor = connections[alias].cursor()
        cursor.execute("SELECT 1 UNION SELECT 2 ORDER BY 1")
        return cursor

    cursor = await in_thread(read)
    refused = await refusal(alias)
    rows = await in_thread(cursor.fetchall)
    await in_thread(cursor.close)
    return found(refused=refused, rows=len(rows), later=await refusal(alias))


async def dropped_cursor(request: HttpRequest) -> HttpResponse:
    """A cursor that nobody holds any more was closed by the driver."""
    alias = request.GET.get("using", "default")

    def read() -> None:
        cursor = connections[alias].cursor()
        cursor.execute("SELECT 1")

    await in_thread(read)
    return found(refused=await refusal(alias), opened=await in_thread(opened))


async def raw_cursor(_request: HttpRequest) -> HttpResponse:
    """A cursor of the driver's own connection, which Django knows nothing of."""

    def read() -> Any:
        connection.ensure_connection()
        cursor = connection.connection.cursor("raw", withhold=True)
        cursor.execute("SELECT generate_series(1, 1000)")
        return cursor

    cursor = await in_thread(read)
    refused = await refusal()
    try:
        await in_thread(cursor.fetchone)
    except Exception as error:
        return found(refused=refused, error=type(error).__name__)
    return found(refused=refused, error=None)


async def error_in_cursor(_request: HttpRequest) -> HttpResponse:
    """A `with` block that an error ends closes its cursor."""

    def fail() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    try:
        await in_thread(fail)
    except Exception as error:
        return found(error=type(error).__name__, refused=await refusal())
    raise AssertionError


VIEWS = (
    *(atomic, autocommit_off, on_commit, iterator, left_iterator, server_side_cursor),
    *(plain_cursor, dropped_cursor, raw_cursor, error_in_cursor),
)
