"""Values that are each task's own."""

from __future__ import annotations

import contextvars
import threading

from asgiref.local import Local
from asgiref.sync import sync_to_async

current = contextvars.ContextVar("user")
of_asgiref = Local()
of_thread = threading.local()


class Plain:
    pass


async def view(request):
    current.set(request.GET["user"])
    of_asgiref.user = request.GET["user"]
    plain = Plain()
    plain.user = 1
    await sync_to_async(in_thread)()


def in_thread():
    of_thread.user = 1
