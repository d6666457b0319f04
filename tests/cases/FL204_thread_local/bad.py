"""Values of one request, kept for the thread of all."""

from __future__ import annotations

import threading

current = threading.local()


class Tenants:
    def __init__(self):
        self.local = threading.local()

    async def enter(self, name):
        self.local.name = name  # FL204


async def view(request):
    current.user = request.GET["user"]  # FL204
    choose("en")


def choose(language):
    current.language = language  # FL204
