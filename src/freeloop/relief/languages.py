"""Guard of LocaleMiddleware: a language is chosen on the event loop once its catalogue is loaded.

The first request that asks for a language reads `.mo` files and looks for locale folders, in the
request's thread, as in stock. What it asked with is remembered; the next one that asks the same
finds everything in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import trans_real

if TYPE_CHECKING:
    from django.http import HttpRequest

    Asked = tuple[str, str, str | None, str | None, str]

# The headers are the client's: neither their number nor their length may fill the memory.
_REMEMBERED = 1024
_LONGEST_HEADER = 200
_LONGEST_CODE = 20


class LocaleGuards:
    """Remembers which language followed from what was asked."""

    def __init__(self) -> None:
        self._chosen: dict[Asked, str] = {}
        self._catalogues: dict[str | None, object] = {}

    def request(self, request: HttpRequest) -> bool:
        """Return whether choosing the language reads nothing from disk."""
        if not settings.USE_I18N:
            return True
        if _long_language(request):
            return False
        self._forget_what_changed()
        return self._chosen.get(_asked(request)) in self._catalogues

    def ran_in_thread(self, request: HttpRequest) -> None:
        """Remember what this request asked and got."""
        self._forget_what_changed()
        asked = _asked(request)
        if sum(len(part or "") for part in asked) > _LONGEST_HEADER:
            return
        if len(self._chosen) >= _REMEMBERED:
            self._chosen.clear()
        self._chosen[asked] = getattr(request, "LANGUAGE_CODE", "")

    def _forget_what_changed(self) -> None:
        # Django makes a new dict when LANGUAGES or LOCALE_PATHS change: then the same question may
        # have another answer.
        catalogues = trans_real._translations  # type: ignore[attr-defined]
        if catalogues is not self._catalogues:
            self._catalogues = catalogues
            self._chosen.clear()


def _first_part(request: HttpRequest) -> str:
    return request.path_info[1:].partition("/")[0]


def _long_language(request: HttpRequest) -> bool:
    # "de-" and any word is German to Django; too long to remember, it is not in what was asked.
    first_part = _first_part(request)
    return len(first_part) > _LONGEST_CODE and ("-" in first_part or "@" in first_part)


def _asked(request: HttpRequest) -> Asked:
    first_part = _first_part(request)
    return (
        settings.LANGUAGE_CODE,
        str(getattr(request, "urlconf", settings.ROOT_URLCONF)),
        request.META.get("HTTP_ACCEPT_LANGUAGE"),
        request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME),
        first_part if len(first_part) <= _LONGEST_CODE else "",
    )
