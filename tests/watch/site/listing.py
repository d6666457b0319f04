"""Print the list of situations as JSON: whoever asks for them sets up no Django for it."""

from __future__ import annotations

import json
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.watch.site.settings")

import tests.watch.site.urls  # noqa: F401
from tests.watch.site.planted import situations

if __name__ == "__main__":
    fields = ("name", "protocol", "route", "path")
    print(  # noqa: T201
        json.dumps(
            [
                {field: getattr(each, field) for field in fields} | {"causes": sorted(each.causes)}
                for each in situations.values()
            ]
        )
    )
