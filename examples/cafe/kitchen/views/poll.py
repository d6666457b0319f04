"""Long poll: a guest waits for the bell, a cook rings it."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from kitchen.asked import asked_ms
from kitchen.bell import Bell

DEFAULT_MS = 200

bell = Bell()


def poll_sync(request: HttpRequest) -> JsonResponse:
    """Holds a thread until the bell rings, or answers null after `?ms=`."""
    return JsonResponse({"ring": bell.wait(asked_ms(request, DEFAULT_MS) / 1000)})


async def poll_async(request: HttpRequest) -> JsonResponse:
    """Holds nothing but a task."""
    return JsonResponse({"ring": await bell.await_ring(asked_ms(request, DEFAULT_MS) / 1000)})


@csrf_exempt
@require_POST
def ring(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ring": bell.ring()})
