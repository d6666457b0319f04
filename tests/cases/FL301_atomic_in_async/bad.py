"""Transactions on the event loop."""

from __future__ import annotations

from django.db import transaction
from django.db.transaction import atomic


async def block(request):
    with transaction.atomic():  # FL301
        pass


async def async_block(request):
    async with atomic():  # FL301
        pass


@transaction.atomic  # the finding is at the function
async def decorated(request):  # FL301
    pass


async def deep(request):
    place()


def place():
    with atomic():  # FL301
        pass
