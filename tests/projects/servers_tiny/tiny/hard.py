"""An application that insists on its settings, whatever the environment says."""

from __future__ import annotations

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tiny.settings"

from django.core.asgi import get_asgi_application

application = get_asgi_application()
