"""The same views under every urlconf; the letter of a chosen one is in its paths."""

from __future__ import annotations

from django.urls import URLPattern, path

from tests.relief.isolation.lifetimes import elsewhere, gathers, outlived
from tests.relief.isolation.views import VIEWS

ALL = {**VIEWS, "gathers": gathers, "outlived": outlived, "elsewhere": elsewhere}


def patterns(letter: str = "") -> list[URLPattern]:
    """Return the views under paths of one urlconf, and without its letter for the client."""
    prefixes = [f"{letter}/", ""] if letter else [""]
    # `reverse` takes the last of a name.
    return [
        path(f"{prefix}{name}/", view, name=name)
        for prefix in reversed(prefixes)
        for name, view in ALL.items()
    ]


urlpatterns = patterns()
