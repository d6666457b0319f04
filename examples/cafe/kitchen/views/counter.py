"""A counter that all guests share: one way of counting loses some of them."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from kitchen.tally import Tally

lossy = Tally()
sound = Tally()


@csrf_exempt
@require_POST
async def lost_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"served": await lossy.add_and_lose()})


@csrf_exempt
@require_POST
async def mended_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"served": await sound.add()})


def totals(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"lost": lossy.served, "mended": sound.served})
