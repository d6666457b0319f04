"""The lifespan protocol of ASGI, which Django leaves out: tidy up when the server ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from kitchen.clients import close_all
from kitchen.processes import dismiss_helpers

Message = dict[str, Any]


async def lifespan(
    _scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await close_all()
            # Blocks the loop, which has nothing left to do: servers end by a signal, and that
            # skips the interpreter's own tidying.
            dismiss_helpers()
            await send({"type": "lifespan.shutdown.complete"})
            return
