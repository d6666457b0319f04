"""A picture of the dish comes in; its checksum goes out."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST


@csrf_exempt
@require_POST
def upload_sync(request: HttpRequest) -> JsonResponse:
    return _receipt(request)


@csrf_exempt
@require_POST
async def upload_async(request: HttpRequest) -> JsonResponse:
    """Parsing a form with files runs on the event loop, like every line here."""
    return _receipt(request)


def _receipt(request: HttpRequest) -> JsonResponse:
    """Take a form's file `dish`, or else the plain body."""
    content = request.FILES["dish"].read() if "dish" in request.FILES else request.body
    return JsonResponse({"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
