"""An application whose project has taken relief into use."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiny.settings")

from freeloop.asgi import get_asgi_application

application = get_asgi_application()
