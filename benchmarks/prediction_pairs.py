"""What benchmarks/prediction.py predicts and measures: written down before its first run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from freeloop.api.predicting import RELIEVED, UVICORN
from freeloop.model.plan import Pair, Question, Side
from freeloop.model.request import RequestSpec
from freeloop.source.plan import read_plan

CAFE = Path(__file__).resolve().parents[1] / "examples" / "cafe"
CONCURRENCY = (50, 200)

# Of all.toml all but the WebSocket, which is not traced.
PAIRS = (
    "hello",
    "hello served by ASGI",
    "async hello served by ASGI",
    "wait",
    "wait served by ASGI",
    "wait in asyncio.to_thread",
    "wait in sync_to_async",
    "wait on granian",
    "wait then cpu",
    "more threads for wait",
    "one call",
    "one call with httpx",
    "httpx against aiohttp",
    "a new client per request",
    "new client against shared client",
    "four calls in sequence",
    "four calls gathered",
    "four calls gathered with httpx",
    "four calls in a thread pool",
    "thread pool against gathering",
    "quick query",
    "quick query in sync_to_async",
    "slow query",
    "slow query in sync_to_async",
    "ten queries",
    "ten queries behind one adapter",
    "three slow queries",
    "gathered slow queries",
    "cpu",
    "cpu in a thread",
    "cpu in a process pool",
    "cpu in a process pool, sync",
    "template",
    "export",
    "password",
    "password in a thread",
    "cache",
    "hidden blocking call",
    "long poll",
    "stream",
    "buffered stream",
    "class",
    "ninja",
    "rest framework served by ASGI",
    "async view on WSGI",
    "gathering inside one WSGI request",
)

# Stands for all of them where pairs are named.
WHAT_IFS = "what-ifs"

# Measured last: a request at a time, or a third of a second of CPU each.
SLOW = (
    "async view on WSGI",
    "gathering inside one WSGI request",
    "password",
    "password in a thread",
)


@dataclass(frozen=True, slots=True)
class Made:
    """A what-if, and the change really made.

    Attributes:
        change: As asked for.
        before: Request that is changed in thought.
        pair: One that measures the change: its id ...
        side: ... and which of its sides has the change.
    """

    change: str
    before: str
    pair: str
    side: str = "b"


MADE = (
    Made("awaited", "hidden-async", "hidden blocking call"),
    Made("awaited", "call-sync", "one call"),
    Made("awaited", "wait-sync", "wait"),
    Made("gathered", "four-sync", "four calls gathered"),
    Made("gathered", "four-async", "four calls gathered"),
    Made("gathered", "three-slow-queries-async", "gathered slow queries"),
    Made("relief", "wait-async", "relief"),
    Made("threads=200", "wait-sync", "wait", "a"),  # bench gives it a thread for each request
)


def chosen() -> list[Pair]:
    """Return the pairs in the order in which they are measured."""
    known = {pair.id: pair for pair in read_plan(CAFE / "all.toml").pairs}
    found = [replace(known[name], concurrency=CONCURRENCY, neighbour=None) for name in PAIRS]
    wait = known["wait"].b.request
    found.append(
        Pair("relief", Question.SETTING, Side(UVICORN, wait), Side(RELIEVED, wait), CONCURRENCY)
    )
    return sorted(found, key=lambda pair: pair.id in SLOW)


def what_if_views() -> dict[str, tuple[RequestSpec, tuple[str, ...]]]:
    """Return each request that is changed in thought, with its changes, by its name."""
    sides = [side for pair in read_plan(CAFE / "all.toml").pairs for side in (pair.a, pair.b)]
    requests = {side.request.name: side.request for side in sides}
    return {
        made.before: (
            requests[made.before],
            tuple(other.change for other in MADE if other.before == made.before),
        )
        for made in MADE
    }
