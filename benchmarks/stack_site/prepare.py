"""Make the database of the site and print the key of a session that is logged in."""

from __future__ import annotations

import os


def main() -> None:
    """Create the tables, an account and its session."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "stack_settings"
    django.setup()

    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)

    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.create_user("guest", password=None))
    print(client.cookies[settings.SESSION_COOKIE_NAME].value)


if __name__ == "__main__":
    main()
