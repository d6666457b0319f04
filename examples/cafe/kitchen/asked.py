"""What a visitor may ask for in the query string, within limits."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import HttpRequest

LONGEST_MS = 5_000


def asked_ms(request: HttpRequest, default: int) -> int:
    """Return `?ms=`: whole milliseconds from 0 to LONGEST_MS, or the default.

    Raises:
        BadRequest: If it is anything else; Django answers with status 400.
    """
    asked = request.GET.get("ms", str(default))
    if not asked.isdecimal() or int(asked) > LONGEST_MS:
        raise BadRequest(f"ms must be a whole number from 0 to {LONGEST_MS}")
    return int(asked)
