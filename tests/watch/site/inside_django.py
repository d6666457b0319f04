"""Places of Django and Channels that run on the loop although no view is to blame."""

from __future__ import annotations

import time
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer  # type: ignore[import-untyped]
from django import forms
from django.core.signals import request_finished
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine

from tests.watch.site.planted import HOLD_S, holds

OK = "done"
ordered = Signal()


def _slow_receiver(**_named: Any) -> None:
    time.sleep(HOLD_S)  # HERE signal_receiver


ordered.connect(_slow_receiver)


@holds("wait")
async def signal_receiver(request: HttpRequest, pk: int) -> HttpResponse:
    ordered.send(None)
    return HttpResponse(OK)


async def _after_the_answer(**_named: Any) -> None:
    if _Finished.slow:
        _Finished.slow = False
        time.sleep(HOLD_S)  # HERE finished_receiver


class _Finished:
    slow = False


request_finished.connect(_after_the_answer)


@holds("wait")
async def finished_receiver(request: HttpRequest, pk: int) -> HttpResponse:
    _Finished.slow = True
    return HttpResponse(OK)


class _Slow:
    def __str__(self) -> str:
        time.sleep(HOLD_S)  # HERE template_variable
        return "slow"


@holds("wait")
async def template_variable(request: HttpRequest, pk: int) -> HttpResponse:
    template = Engine().from_string("{{ thing }}")
    return HttpResponse(template.render(Context({"thing": _Slow()})))


class _Form(forms.Form):
    name = forms.CharField(required=False)

    def clean_name(self) -> str:
        time.sleep(HOLD_S)  # HERE form_clean
        return ""


@holds("wait")
async def form_clean(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(str(_Form({}).is_valid()))


@holds("wait")
async def middleware_before(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(OK)


@holds("wait")
async def middleware_after(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(OK)


@holds("wait", route=False)
async def middleware_answers(request: HttpRequest, pk: int) -> HttpResponse:
    raise NotImplementedError("the middleware answers")


class SlowMiddleware:
    """Blocks before and after the view, for the paths that ask for it."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        from asgiref.sync import markcoroutinefunction

        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> Any:
        if request.path.startswith("/middleware_before/"):
            time.sleep(HOLD_S)  # HERE middleware_before
        if request.path.startswith("/middleware_answers/"):
            time.sleep(HOLD_S)  # HERE middleware_answers
            return HttpResponse(OK)
        response = await self.get_response(request)
        if request.path.startswith("/middleware_after/"):
            time.sleep(HOLD_S)  # HERE middleware_after
        return response


class SlowConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    async def connect(self) -> None:
        if self.scope["path"].startswith("/consumer_connects/"):
            time.sleep(HOLD_S)  # HERE consumer_connects
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.scope["path"].startswith("/consumer_receives/"):
            time.sleep(HOLD_S)  # HERE consumer_receives
        await self.send(text_data=OK)


for _name in ("consumer_connects", "consumer_receives"):
    _view = type(_name, (), {"__name__": _name})
    holds("wait", protocol="websocket")(_view)
for _name in ("lifespan_start",):
    _view = type(_name, (), {"__name__": _name})
    holds("wait", protocol="start", route=False)(_view)
