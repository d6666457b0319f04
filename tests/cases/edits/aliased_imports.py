"""Names that are not the usual ones, and usual ones that mean something else."""

import json as asyncio_text


async def view_alias(request):
    return ALIASED


async def view_local_name(request):
    asyncio = "mine"
    return FAULT, asyncio


async def view_parameter(request, asyncio="given"):
    return FAULT, asyncio


async def view_twins_name(request, aget_object_or_404="given"):
    return FAULT, aget_object_or_404


async def view_text(request):
    return asyncio_text.dumps(str(FAULT))
