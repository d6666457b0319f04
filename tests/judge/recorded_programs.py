"""Runs random asyncio programs as ASGI applications, recorded; writes traces and own counts.

Started by test_recorded_programs.py as a process of its own, because recording needs Django's
settings and puts hooks into the interpreter.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

# At most a few milliseconds each: a program has some twenty of them.
LONGEST_S = 0.004


class Program:
    """A random program, grown while it runs; counts what it does.

    Attributes:
        counted: Until the answer was sent; a task that nobody waits for may go on.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.counted: dict[str, int] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request; as a server's lifespan ends at once."""
        if scope["type"] != "http":
            return
        await self.body(depth=3)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})
        self.counted = dict(self.done)

    async def body(self, depth: int) -> None:
        """Do a few things one after another."""
        kinds: list[Callable[[int], Awaitable[object]]] = [
            *(self.sleep, self.turn, self.block, self.compute, self.hop, self.hop),
            *((self.gather, self.cancel, self.fail, self.late) if depth else ()),
        ]
        for _ in range(self._random.randint(1, 4)):
            await self._random.choice(kinds)(depth - 1)

    async def sleep(self, _depth: int) -> None:
        """Await."""
        self.done["sleeps"] += 1
        await asyncio.sleep(self._random.random() * LONGEST_S)

    async def turn(self, _depth: int) -> None:
        """Let the others run."""
        self.done["sleeps"] += 1
        await asyncio.sleep(0)

    async def block(self, _depth: int) -> None:
        """Hold the loop in a call that waits."""
        seconds = self._random.random() * LONGEST_S
        self.done["blocked_ns"] += int(seconds * 1e9)
        time.sleep(seconds)

    async def compute(self, _depth: int) -> None:
        """Hold the loop at work."""
        sum(range(self._random.randint(1, 20_000)))

    async def hop(self, _depth: int) -> None:
        """Hand a call to a thread."""
        self.done["hops"] += 1
        seconds = self._random.random() * LONGEST_S
        self.done["worked_ns"] += int(seconds * 1e9)
        await asyncio.to_thread(time.sleep, seconds)

    async def gather(self, depth: int) -> None:
        """Do several things at once."""
        count = self._random.randint(1, 3)
        self.done["tasks"] += count
        await asyncio.gather(*(self.body(depth) for _ in range(count)))

    async def cancel(self, depth: int) -> None:
        """Give up waiting; what waits for a thread does not end before the thread's call."""
        self.done["tasks"] += 1
        task = asyncio.get_running_loop().create_task(self.body(depth))
        await asyncio.sleep(self._random.random() * LONGEST_S)
        self.done["sleeps"] += 1
        task.cancel()
        await asyncio.wait([task])

    async def fail(self, depth: int) -> None:
        """Raise in a task of a group, which cancels the others."""
        self.done["tasks"] += 2
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.body(depth))
                group.create_task(self._raise())
        except* ValueError:
            self.done["errors"] += 1

    async def late(self, depth: int) -> None:
        """Wait no longer than a while."""
        try:
            async with asyncio.timeout(self._random.random() * LONGEST_S):
                await self.body(depth)
        except TimeoutError:
            self.done["errors"] += 1

    async def _raise(self) -> None:
        raise ValueError


def main(first: int, count: int) -> None:
    """Record the programs and write one JSON object per line."""
    from django.conf import settings

    settings.configure()
    from freeloop.model.trace_codec import encode_trace
    from freeloop.record.request import Asked
    from freeloop.record.session import Options, record_asgi

    options = Options(root=str(Path(__file__).parent), warm_up=False)
    for seed in range(first, first + count):
        program = Program(seed)
        recording = record_asgi(program, Asked("GET", "/"), options)
        told = {"trace": encode_trace(recording.trace), "done": program.counted}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
