"""Run every `view_...` of a project's modules and print what each gave, ran and left in the rows.

Usage: python run_views.py DIRECTORY MODULE... A process of its own, as Django is set up once.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import logging
import re
import sys
from pathlib import Path

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class Statements(logging.Handler):
    """Keeps the SQL of all threads."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the SQL of a record."""
        sql = str(getattr(record, "sql", ""))
        if not sql.startswith(("PRAGMA", "BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")):
            self.seen.append(MOMENT.sub("MOMENT", sql))


def set_up(at: Path) -> None:
    """Configure Django with a database file, and make its tables."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        DEBUG=True,
        SECRET_KEY="of a test",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": at / "rows.db"}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "shop",
        ],
        CACHES={
            "default": {
                "BACKEND": "django.core.cache.backends.db.DatabaseCache",
                "LOCATION": "cached",
            }
        },
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("createcachetable", verbosity=0)


def fill() -> None:
    """Put the same rows in as before every other view."""
    from django.apps import apps

    dishes = apps.get_model("shop", "Dish").objects
    guests = apps.get_model("shop", "Guest").objects
    dishes.all().delete()
    guests.all().delete()
    ada = guests.create(pk=1, name="Ada")
    for number, name in enumerate(("soup", "salad", "bread"), 1):
        dishes.create(pk=number, name=name, price=number, guest=ada)


def run(view: object) -> dict[str, object]:
    """Return what one view gave, the SQL that it ran, and the rows that it left."""
    from django.apps import apps
    from django.contrib.auth.middleware import AuthenticationMiddleware
    from django.contrib.sessions.middleware import SessionMiddleware
    from django.http import HttpResponse
    from django.test import RequestFactory

    fill()
    request = RequestFactory().get("/")
    SessionMiddleware(lambda request: HttpResponse()).process_request(request)
    AuthenticationMiddleware(lambda request: HttpResponse()).process_request(request)
    statements = Statements()
    logger = logging.getLogger("django.db.backends")
    logger.setLevel(logging.DEBUG)
    logger.handlers, logger.propagate = [statements], False
    try:
        gave = repr(asyncio.run(view(request)))  # type: ignore[operator]
    except Exception as error:  # compared with that of the other version
        gave = repr(error)
    logger.handlers = []
    dishes = apps.get_model("shop", "Dish").objects
    rows = list(dishes.order_by("pk").values_list("pk", "name", "price"))
    return {"gave": gave, "sql": statements.seen, "rows": rows}


def main() -> None:
    """Print the answers of all views as JSON."""
    at = Path(sys.argv[1])
    sys.path.insert(0, str(at))
    set_up(at)
    answers = {}
    for module in sys.argv[2:]:
        found = inspect.getmembers(importlib.import_module(module), inspect.iscoroutinefunction)
        answers.update({f"{module}.{name}": run(view) for name, view in found if "view_" in name})
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
