"""What asgiref itself loses on the way back over `async_to_sync`; neither Django nor relief runs.

It lets the waiting thread go on before it has kept the context of the awaited code. A thread that
is quick takes the older context, and what the code had set in context variables is gone. When this
test fails, asgiref has mended that: the allowance `MOST_LOST_ON_BRIDGES` can go.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any

import pytest
from asgiref import sync

_variable: ContextVar[str] = ContextVar("set below", default="lost")


class _SlowToGoOn(Future[Any]):
    """Gives the waiting thread the time that a busy machine sometimes gives it."""

    def set_result(self, result: Any) -> None:
        super().set_result(result)
        time.sleep(0.05)


async def _below() -> None:
    _variable.set("kept")


async def _seen_above() -> str:
    async with sync.ThreadSensitiveContext():
        await sync.sync_to_async(sync.async_to_sync(_below))()
        return _variable.get()


@pytest.mark.parametrize(("future", "seen"), [(Future, "kept"), (_SlowToGoOn, "lost")])
def test_a_thread_that_goes_on_early_loses_what_was_set_below(
    monkeypatch: pytest.MonkeyPatch, future: type, seen: str
) -> None:
    """The same code twice; only who is quicker differs."""
    monkeypatch.setattr(sync, "Future", future)

    assert asyncio.run(_seen_above()) == seen
