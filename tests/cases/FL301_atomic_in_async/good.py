"""Transactions in threads."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.db import transaction


@transaction.atomic
def place():
    with transaction.atomic():
        pass


async def view(request):
    await sync_to_async(place)()


@sync_to_async
def placed():
    with transaction.atomic():
        pass


async def other(request):
    await placed()
