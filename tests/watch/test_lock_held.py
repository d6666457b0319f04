"""A call that keeps the interpreter lock: the watchdog can look only once it is over."""

from __future__ import annotations

import asyncio
import ctypes
from typing import Any

from freeloop import watch
from freeloop.watch.stretch import Cause, Stretch
from freeloop.watch.watchdog import watchdog
from tests.watch.test_watching import on_both_loops, scope

HOLD_S = 0.05
CALLS = 15
_C = ctypes.PyDLL(None)


def keeps_the_lock() -> None:
    _C.usleep(int(HOLD_S * 1e6))


@on_both_loops
def test_the_line_is_named_though_the_loop_has_gone_on(new_loop: Any, seen: list[Stretch]) -> None:
    """The watchdog glances before it reads a clock: that would let the loop go on.

    On uvloop every third such call left no trace before.
    """

    async def application(scope: Any, receive: Any, send: Any) -> None:
        keeps_the_lock()

    watched = watch.asgi(application, on_report=seen.append)

    async def main() -> None:
        for _ in range(CALLS):
            await asyncio.create_task(watched(scope(), None, None))
            await asyncio.sleep(0.15)
        await asyncio.to_thread(watchdog.stop)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())

    found = [each for each in seen if each.line and each.line[2] == "keeps_the_lock"]
    assert CALLS - 1 <= len(found) <= CALLS, [(each.cause, each.ms, each.frames) for each in seen]
    assert sum(each.cause is Cause.GIL_HELD for each in found) >= CALLS - 2
