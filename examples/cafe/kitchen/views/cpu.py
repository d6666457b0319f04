"""Work that keeps a core busy: on the loop, in a thread, in a process, in the tasks worker."""

from __future__ import annotations

import asyncio
from uuid import UUID

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django_tasks_db.models import DBTaskResult

from kitchen.asked import asked_ms
from kitchen.processes import helpers
from kitchen.tasks import chop_later
from kitchen.work import chop

DEFAULT_MS = 20


def inline_sync(request: HttpRequest) -> JsonResponse:
    return _answer(chop(asked_ms(request, DEFAULT_MS)))


async def inline_async(request: HttpRequest) -> JsonResponse:
    """Everybody on this event loop waits for these carrots."""
    return _answer(chop(asked_ms(request, DEFAULT_MS)))


async def thread_async(request: HttpRequest) -> JsonResponse:
    """The loop can turn, but it shares the interpreter lock with the thread."""
    return _answer(await asyncio.to_thread(chop, asked_ms(request, DEFAULT_MS)))


def processes_sync(request: HttpRequest) -> JsonResponse:
    return _answer(helpers().submit(chop, asked_ms(request, DEFAULT_MS)).result())


async def processes_async(request: HttpRequest) -> JsonResponse:
    loop = asyncio.get_running_loop()
    ms = asked_ms(request, DEFAULT_MS)
    return _answer(await loop.run_in_executor(helpers(), chop, ms))


@csrf_exempt
@require_POST
def task_sync(request: HttpRequest) -> JsonResponse:
    """Hand the work over and answer at once with the ticket that fetches the result."""
    result = chop_later.enqueue(asked_ms(request, DEFAULT_MS))
    return JsonResponse({"ticket": str(result.id)})


@csrf_exempt
@require_POST
async def task_async(request: HttpRequest) -> JsonResponse:
    result = await chop_later.aenqueue(asked_ms(request, DEFAULT_MS))
    return JsonResponse({"ticket": str(result.id)})


def ticket(request: HttpRequest, number: UUID) -> JsonResponse:
    """Tell how far a handed-over job is; `carrots` is null until it is done."""
    result = DBTaskResult.objects.filter(pk=number).first()
    if result is None:
        raise Http404(f"no ticket {number}")
    return JsonResponse({"status": result.status, "carrots": result.return_value})


def _answer(carrots: int) -> JsonResponse:
    return JsonResponse({"carrots": carrots})
