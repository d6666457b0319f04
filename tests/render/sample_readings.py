"""Readings made by hand: an async checkout with every state, and a plain sync view under WSGI.

For layout and words alone, where a test needs a shape that no sample view has. What is recorded is
tested with recorded traces.
"""

from __future__ import annotations

from freeloop.model.demand import Demand
from freeloop.model.reading import (
    Effect,
    Happening,
    Moment,
    MomentKind,
    Reading,
    Row,
    TraceFinding,
    Weakness,
)
from freeloop.model.timeline import Segment, State, Timeline
from freeloop.model.trace import (
    Edge,
    Lane,
    LaneKind,
    Mark,
    MarkKind,
    Origin,
    Place,
    Recorded,
    Step,
    Trace,
    TraceEnvironment,
    Variable,
)
from freeloop.model.verdict import Basis

MS = 1_000_000
SOURCE = '''"""Views of the shop."""

import asyncio

from shop.prices import price_of


async def checkout(request):
    """Price two dishes at once, and look up who pays."""
    customer = await Customer.objects.aget(pk=3)
    soup, bread = await asyncio.gather(price_of("soup"), price_of("bread"))
    total = soup + bread
    note = stamp(total)
    return JsonResponse({"total": total, "note": note})


def stamp(total):
    """Ask the till, which answers after a while."""
    till.wait(0.02)
    return f"paid {total}"
'''
PRICES = '''"""Prices, from a service that takes its time."""

import asyncio


async def price_of(dish):
    await asyncio.sleep(0.08 if dish == "soup" else 0.05)
    return {"soup": 4, "bread": 2}[dish]
'''
VIEW, STAMP, PRICE = "checkout", "stamp", "price_of"
PLACES = (
    Place("shop/views.py", 8, VIEW, Origin.PROJECT),
    Place("shop/views.py", 10, VIEW, Origin.PROJECT),
    Place("shop/views.py", 11, VIEW, Origin.PROJECT),
    Place("shop/views.py", 12, VIEW, Origin.PROJECT),
    Place("shop/views.py", 13, VIEW, Origin.PROJECT),
    Place("shop/views.py", 14, VIEW, Origin.PROJECT),
    Place("shop/views.py", 17, STAMP, Origin.PROJECT),
    Place("shop/views.py", 19, STAMP, Origin.PROJECT),
    Place("shop/views.py", 20, STAMP, Origin.PROJECT),
    Place("shop/prices.py", 6, PRICE, Origin.PROJECT),
    Place("shop/prices.py", 7, PRICE, Origin.PROJECT),
    Place("shop/prices.py", 8, PRICE, Origin.PROJECT),
    Place("django/core/handlers/base.py", 253, "get_response_async", Origin.DJANGO),
)
LANES = (
    Lane(0, LaneKind.TASK, "request"),
    Lane(1, LaneKind.THREAD, "thread 1", 0),
    Lane(2, LaneKind.CONNECTION, "connection default", 1),
    Lane(3, LaneKind.TASK, "task price_of soup", 0),
    Lane(4, LaneKind.TASK, "task price_of bread", 0),
)
DURATION = 105_200_000
SQL = "SELECT id, name FROM shop_customer WHERE id = ? LIMIT 21"


def us(microseconds: int) -> int:
    return microseconds * 1000


def tiled(lane: int, *parts: tuple[int, int, State, int | None, str]) -> tuple[Segment, ...]:
    """Return segments from (start, end, state, place, text), times in microseconds."""
    return tuple(
        Segment(lane, us(start), us(end), state, place, text)
        for start, end, state, place, text in parts
    )


TIMELINE = Timeline(
    DURATION,
    (
        tiled(
            0,
            (0, 300, State.RUNNING, 12, ""),
            (300, 500, State.QUEUED, 1, "QuerySet.get"),
            (500, 2900, State.OFFLOADED, 1, "QuerySet.get"),
            (2900, 3000, State.READY, 1, "QuerySet.get"),
            (3000, 3400, State.RUNNING, 2, ""),
            (3400, 83900, State.SUSPENDED, 2, "asyncio.gather"),
            (83900, 84400, State.RUNNING, 4, ""),
            (84400, 104400, State.BLOCKED, 7, "till.wait"),
            (104400, 104700, State.STARVED, 5, ""),
            (104700, 105200, State.RUNNING, 5, ""),
        ),
        tiled(1, (500, 1000, State.RUNNING, 1, "QuerySet.get"), (1000, 2900, State.USED, 1, SQL)),
        tiled(
            2,
            (600, 1000, State.HELD, None, ""),
            (1000, 2800, State.USED, 1, SQL),
            (2800, 105000, State.HELD, None, ""),
        ),
        tiled(
            3,
            (3200, 3450, State.READY, None, ""),
            (3450, 3600, State.RUNNING, 9, ""),
            (3600, 83600, State.SUSPENDED, 10, "asyncio.sleep"),
            (83600, 83850, State.RUNNING, 11, ""),
        ),
        tiled(
            4,
            (3250, 3600, State.READY, None, ""),
            (3600, 3700, State.RUNNING, 9, ""),
            (3700, 53700, State.SUSPENDED, 10, "asyncio.sleep"),
            (53700, 53900, State.RUNNING, 11, ""),
        ),
    ),
)


def step(at: int, lane: int, place: int, frame: int, event: str, *variables: Variable) -> Step:
    return Step(us(at), lane, place, frame, event, variables)


def new(name: str, shown: str) -> Variable:
    return Variable(name, shown, "new")


STEPS = (
    step(250, 0, 0, 1, "call", new("request", "ASGIRequest")),
    step(280, 0, 1, 1, "line"),
    step(299, 0, 1, 1, "suspend"),
    step(3000, 0, 1, 1, "resume"),
    step(3100, 0, 2, 1, "line", new("customer", "Customer pk=3")),
    step(3390, 0, 2, 1, "suspend"),
    step(3460, 3, 9, 2, "call", new("dish", "'soup'")),
    step(3480, 3, 10, 2, "line"),
    step(3600, 3, 10, 2, "suspend"),
    step(3610, 4, 9, 3, "call", new("dish", "'bread'")),
    step(3640, 4, 10, 3, "line"),
    step(3700, 4, 10, 3, "suspend"),
    step(53700, 4, 10, 3, "resume"),
    step(53720, 4, 11, 3, "line"),
    step(53800, 4, 11, 3, "return"),
    step(83600, 3, 10, 2, "resume"),
    step(83620, 3, 11, 2, "line"),
    step(83700, 3, 11, 2, "return"),
    step(83950, 0, 2, 1, "resume"),
    step(84000, 0, 3, 1, "line", new("soup", "4"), new("bread", "2")),
    step(84100, 0, 4, 1, "line", new("total", "6")),
    step(84200, 0, 6, 4, "call", new("total", "6")),
    step(84300, 0, 7, 4, "line"),
    step(104500, 0, 8, 4, "line"),
    step(104700, 0, 8, 4, "return"),
    step(104800, 0, 5, 1, "line", Variable("note", "'paid 6'", "new")),
    step(105000, 0, 5, 1, "return", Variable("total", "6", "changed")),
)
ROWS = (
    Row(1, 0, 0, 0, Happening.REQUEST, text="GET /checkout/"),
    Row(2, us(250), us(250), 0, Happening.ENTERED, 0, "shop.views.checkout"),
    Row(3, us(300), us(3000), 0, Happening.HOP, 1, "QuerySet.get", State.OFFLOADED, other=1,
        effect=Effect.HOLDS, queued_ns=us(200)),
    Row(4, us(1000), us(2800), 1, Happening.QUERY, 1, SQL, State.USED, effect=Effect.CONNECTION),
    Row(5, us(3200), us(3200), 0, Happening.TASK, 2, "price_of", other=3),
    Row(6, us(3250), us(3250), 0, Happening.TASK, 2, "price_of", other=4),
    Row(7, us(3400), us(83900), 0, Happening.SUSPENDED, 2, "asyncio.gather", State.SUSPENDED,
        effect=Effect.FREES),
    Row(8, us(3600), us(83600), 3, Happening.SUSPENDED, 10, "asyncio.sleep", State.SUSPENDED,
        effect=Effect.FREES),
    Row(9, us(3700), us(53700), 4, Happening.SUSPENDED, 10, "asyncio.sleep", State.SUSPENDED,
        effect=Effect.FREES),
    Row(10, us(84400), us(104400), 0, Happening.BLOCKED, 7, "till.wait", State.BLOCKED,
        blocking=True, effect=Effect.STALLS),
    Row(11, us(105000), us(105000), 0, Happening.FIRST_BYTE),
    Row(12, DURATION, DURATION, 0, Happening.RETURNED, text="200"),
)  # fmt: skip
ENVIRONMENT = TraceEnvironment(
    recorded_at="2026-11-20T15:00:00Z",
    versions={"python": "3.13.0", "django": "6.1.3", "asgiref": "3.13.0", "httpx": "0.28.1"},
    cores=2,
    middleware=("django.middleware.security.SecurityMiddleware",),
    database=("default: sqlite3 db.sqlite3",),
    mark_cost_ns=640,
    probes_off={"aiohttp": "4.0 is newer than what was tried"},
    dropped=0,
)
TRACE = Trace(
    ENVIRONMENT,
    Recorded("GET", "/checkout/?table=***", "checkout/", "shop.views.checkout", True, "asgi",
             False, 200, 31, False),
    LANES,
    PLACES,
    (
        Mark(0, MarkKind.REQUEST, Edge.BEGIN, 0, 1),
        Mark(DURATION, MarkKind.REQUEST, Edge.END, 0, 1),
    ),
    STEPS,
    sources={"shop/views.py": SOURCE, "shop/prices.py": PRICES},
)  # fmt: skip
CHECKOUT = Reading(
    TRACE,
    TIMELINE,
    Demand(105.2, 4.9, 22.3, 20.0, 80.5, 104.7, 2.4, 104.4, 1.8, 0.3, 1, 0, 1, 1, 2),
    ROWS,
    (
        Moment(MomentKind.FIRST_HOP, us(300), 3, 2.7),
        Moment(MomentKind.FIRST_QUERY, us(1000), 4, 1.8),
        Moment(MomentKind.LONGEST_WAIT, us(3400), 7, 80.5),
        Moment(MomentKind.MOST_AT_ONCE, us(3700), 9, count=3),
        Moment(MomentKind.LONGEST_BLOCK, us(84400), 10, 20.0),
        Moment(MomentKind.FIRST_BYTE, us(105000), 11),
    ),
    (
        TraceFinding(Weakness.BLOCKS_LOOP, Basis.MEASURED, 20.0, (7, 4), (10,), "till.wait"),
        TraceFinding(
            Weakness.CONNECTION_UNUSED, Basis.MEASURED, 102.6, (2,), (7,), "connection default"
        ),
    ),
)
