"""The application of the soak: watched by its settings alone."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soak_settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
