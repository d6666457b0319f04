"""The project as real servers load it: `stock`, and `relieved` by the one line of freeloop.asgi.

Its database lies in the folder SAFETY_FOLDER; as a program, this makes it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def configure() -> None:
    """Set Django up for the folder."""
    from django.conf import settings

    from tests.relief.safety.project.settings import for_folder

    # uvicorn asks for the application twice.
    if not settings.configured:
        given = for_folder(Path(os.environ["SAFETY_FOLDER"]))
        settings.configure(**given | {"ALLOWED_HOSTS": ["127.0.0.1"]})


def __getattr__(name: str) -> Any:
    """Make the one that the server asks for, and not the other."""
    if name == "stock":
        from django.core.asgi import get_asgi_application as stock

        configure()
        return stock()
    if name == "relieved":
        from freeloop.asgi import get_asgi_application

        configure()
        return get_asgi_application()
    raise AttributeError(name)


if __name__ == "__main__":
    import django

    configure()
    django.setup()
    from tests.relief.safety.conftest import _prepare

    _prepare()
