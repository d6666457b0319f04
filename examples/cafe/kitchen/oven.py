"""The oven takes its time: a helper that waits, and its async twin beside it."""

from __future__ import annotations

import asyncio
import time


def baked(ms: int) -> str:
    time.sleep(ms / 1000)
    return "Bread is ready."


async def baked_async(ms: int) -> str:
    await asyncio.sleep(ms / 1000)
    return "Bread is ready."
