"""Make the database of the site, with one account; run in its folder, before it is served."""

from __future__ import annotations

import os


def main() -> None:
    """Create the tables and the guest."""
    import django
    from django.core.management import call_command
    from django.db import connection

    os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
    django.setup()

    from django.contrib.auth.models import User

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
    User.objects.create_user("guest", password=None)


if __name__ == "__main__":
    main()
