"""What one trace finds: by line, with a cost; and what it must not say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from freeloop.judge.reading import read
from freeloop.model.reading import Effect, Happening, MomentKind, TraceFinding, Weakness
from freeloop.model.trace import (
    Edge,
    Lane,
    LaneKind,
    Mark,
    MarkKind,
    Origin,
    Place,
    Sample,
    Step,
    Trace,
)
from freeloop.model.verdict import Basis
from tests.judge.programs import environment, recorded

MS = 1_000_000
SOURCE = """\
async def view(request):
    price = await price_of(request)
    stock = await stock_of(request)
    return price, stock


async def price_of(request):
    answer = await client.get("price")
    return answer.json()


async def stock_of(request):
    answer = await client.get("stock")
    return answer.json()


async def chained(request):
    user = await find(request)
    return await orders_of(user)


async def menu(request):
    return [await price_of(dish) for dish in request.GET]
"""
PLACES = (
    Place("shop/views.py", 2, "view", Origin.PROJECT),
    Place("shop/views.py", 3, "view", Origin.PROJECT),
    Place("shop/views.py", 8, "price_of", Origin.PROJECT),
    Place("shop/views.py", 13, "stock_of", Origin.PROJECT),
    Place("shop/views.py", 18, "chained", Origin.PROJECT),
    Place("shop/views.py", 19, "chained", Origin.PROJECT),
    Place("requests/sessions.py", 589, "Session.request", Origin.LIBRARY),
    Place("django/core/handlers/asgi.py", 222, "listen_for_disconnect", Origin.DJANGO),
    Place("shop/views.py", 23, "menu", Origin.PROJECT),
    Place("shop/views.py", 22, "menu", Origin.PROJECT),
)
REQUEST = Lane(0, LaneKind.TASK, "request")
THREAD = Lane(1, LaneKind.THREAD, "thread 1", 0)
OWN = {"how": "thread", "executor": "concurrent.futures.thread.ThreadPoolExecutor"}
SHARED = {"how": "thread", "executor": "NoneType"}


class Script:
    """Marks of a request, written down one pair at a time; times in milliseconds."""

    def __init__(self, duration_ms: float, *lanes: Lane) -> None:
        self._ids: Iterator[int] = itertools.count(1)
        self._lanes = (REQUEST, *lanes)
        self._marks: list[Mark] = []
        self.steps: list[Step] = []
        self.samples: list[Sample] = []
        self.pair(MarkKind.REQUEST, 0, duration_ms)

    def pair(
        self,
        kind: MarkKind,
        start_ms: float,
        end_ms: float,
        *,
        lane: int = 0,
        place: int | None = None,
        text: str = "",
        detail: Mapping[str, str] | None = None,
        cpu_ms: float | None = None,
        number: int | None = None,
    ) -> int:
        """Write down one pair and return its id; `place` of a RUN is its await point."""
        number = next(self._ids) if number is None else number
        cpu = (None, None) if cpu_ms is None else (0, int(cpu_ms * MS))
        at_end = kind is MarkKind.RUN
        begin = Mark(
            int(start_ms * MS),
            kind,
            Edge.BEGIN,
            lane,
            number,
            place=None if at_end else place,
            text=text,
            detail=dict(detail or {}),
            cpu_ns=cpu[0],
        )
        end = replace(
            begin,
            at_ns=int(end_ms * MS),
            edge=Edge.END,
            place=place if at_end else None,
            cpu_ns=cpu[1],
        )
        self._marks += [begin, end]
        return number

    def hop(
        self,
        span_ms: tuple[float, float],
        work_ms: tuple[float, float],
        *,
        lane: int = 0,
        place: int | None = None,
        text: str = "call",
        detail: Mapping[str, str] = OWN,
    ) -> None:
        """Write down a hop to the thread and its work."""
        number = self.pair(MarkKind.HOP, *span_ms, lane=lane, place=place, text=text, detail=detail)
        self.pair(MarkKind.WORK, *work_ms, lane=1, text=text, number=number)

    def step(self, at_ms: float, place: int, frame: int, event: str = "line") -> None:
        """Write down a line step of the request."""
        self.steps.append(Step(int(at_ms * MS), 0, place, frame, event))

    def trace(self, interface: str = "asgi") -> Trace:
        """Return the trace."""
        return Trace(
            environment(),
            recorded(interface),
            self._lanes,
            PLACES,
            tuple(sorted(self._marks, key=lambda mark: mark.at_ns)),
            tuple(self.steps),
            tuple(self.samples),
            {"shop/views.py": SOURCE},
        )


def found(trace: Trace, weakness: Weakness) -> list[TraceFinding]:
    return [finding for finding in read(trace).findings if finding.weakness is weakness]


def test_a_call_that_waits_on_the_loop_is_found_with_its_line() -> None:
    script = Script(100)
    script.pair(MarkKind.RUN, 0, 100)
    script.pair(MarkKind.OUTBOUND, 10, 70, place=2, text="GET till 200")

    (finding,) = found(script.trace(), Weakness.BLOCKS_LOOP)

    assert finding.cost_ms == 60
    assert finding.basis is Basis.MEASURED
    assert finding.places == (2,)
    assert finding.text == "GET till 200"
    row = read(script.trace()).rows[finding.rows[0] - 1]
    assert (row.what, row.blocking, row.effect) == (Happening.BLOCKED, True, Effect.STALLS)


def test_the_same_call_under_wsgi_keeps_nobody_else_from_a_loop() -> None:
    script = Script(100)
    script.pair(MarkKind.RUN, 0, 100)
    script.pair(MarkKind.OUTBOUND, 10, 70, place=2, text="GET till 200")
    reading = read(script.trace("wsgi"))

    assert not reading.findings
    assert [row.effect for row in reading.rows if row.what is Happening.BLOCKED] == [Effect.HOLDS]


def test_an_awaited_call_blocks_nobody() -> None:
    script = Script(100)
    script.pair(MarkKind.RUN, 0, 10, place=2)
    script.pair(MarkKind.OUTBOUND, 5, 95, place=2, text="GET till 200")
    script.pair(MarkKind.RUN, 90, 100)
    reading = read(script.trace())

    assert not reading.findings
    assert reading.demand.blocked_ms == 0
    (wait,) = (row for row in reading.rows if row.what is Happening.SUSPENDED)
    assert (wait.text, wait.effect) == ("GET till 200", Effect.FREES)


def test_a_cache_in_memory_is_work_not_waiting() -> None:
    script = Script(20)
    script.pair(MarkKind.RUN, 0, 20)
    script.pair(MarkKind.CACHE, 2, 8, place=2, text="get LocMemCache")

    assert read(script.trace()).demand.blocked_ms == 0


def test_a_file_that_was_in_memory_is_work_by_its_clocks() -> None:
    script = Script(20)
    script.pair(MarkKind.RUN, 0, 20)
    script.pair(MarkKind.FILE, 2, 8, place=2, text="open menu.txt", cpu_ms=5.5)

    assert read(script.trace()).demand.blocked_ms == 0


def test_a_stretch_without_a_known_call_is_put_down_to_the_line_by_steps() -> None:
    script = Script(100)
    script.pair(MarkKind.RUN, 0, 100, place=4)
    script.step(5, 0, 1, "call")
    script.step(10, 2, 1)
    script.step(80, 3, 1)
    script.step(85, 3, 1, "return")

    (finding,) = found(script.trace(), Weakness.BLOCKS_LOOP)

    assert (finding.places, finding.cost_ms) == ((2,), 70)
    assert finding.basis is Basis.MEASURED


def test_without_steps_the_samples_name_the_line_and_what_it_called() -> None:
    script = Script(100)
    script.pair(MarkKind.RUN, 0, 100, place=4)
    script.samples = [Sample(at * MS, 0, (6, 2, 0)) for at in range(10, 90)]

    (finding,) = found(script.trace(), Weakness.BLOCKS_LOOP)

    assert finding.places == (2, 6)
    assert finding.cost_ms == pytest.approx(100, rel=0.01)
    assert finding.basis is Basis.ESTIMATED


def calls_of_view(script: Script) -> None:
    """Let `view` await `price_of` for 30 ms and then `stock_of` for 40 ms."""
    script.pair(MarkKind.RUN, 0, 1, place=2)
    script.pair(MarkKind.RUN, 31, 32, place=3)
    script.pair(MarkKind.RUN, 72, 73)
    script.step(0.1, 0, 1, "call")
    script.step(0.2, 0, 1)
    script.step(0.3, 2, 2, "call")
    script.step(0.4, 2, 2)
    script.step(31.1, 2, 2, "return")
    script.step(31.2, 1, 1)
    script.step(31.3, 3, 3, "call")
    script.step(31.4, 3, 3)
    script.step(72.1, 3, 3, "return")


def test_awaits_one_after_another_are_found_in_the_function_that_could_gather_them() -> None:
    """They wait in two helpers; the view that calls both is where they could go together."""
    script = Script(73)
    calls_of_view(script)

    (finding,) = found(script.trace(), Weakness.SERIAL_AWAITS)

    assert finding.basis is Basis.ESTIMATED
    assert finding.places == (0, 1)
    assert finding.text == "view"
    assert finding.cost_ms == 30
    assert finding.count == 2


def test_an_await_that_uses_the_result_of_the_one_before_is_not_serial_without_need() -> None:
    script = Script(80)
    script.pair(MarkKind.RUN, 0, 1, place=4)
    script.pair(MarkKind.RUN, 31, 32, place=5)
    script.pair(MarkKind.RUN, 72, 80)

    assert not found(script.trace(), Weakness.SERIAL_AWAITS)


def test_calls_to_one_thread_are_not_faster_gathered() -> None:
    """Two queries of one request run on its one thread, gathered or not."""
    script = Script(80, THREAD)
    script.pair(MarkKind.RUN, 0, 1, place=0)
    script.hop((1, 31), (1, 31), place=0)
    script.pair(MarkKind.RUN, 31, 32, place=1)
    script.hop((32, 72), (32, 72), place=1)
    script.pair(MarkKind.RUN, 72, 80)

    assert not found(script.trace(), Weakness.SERIAL_AWAITS)


def test_calls_gathered_onto_one_thread_are_found_queueing() -> None:
    script = Script(70, THREAD, *(Lane(n, LaneKind.TASK, f"task {n}", 0) for n in (2, 3, 4)))
    script.pair(MarkKind.RUN, 0, 1, place=0)
    for number, lane in enumerate((2, 3, 4)):
        script.pair(MarkKind.TASK, 1, 62, lane=lane)
        script.pair(MarkKind.RUN, 1 + number / 10, 1.1 + number / 10, lane=lane, place=2)
        start = 2 + 20 * number
        script.hop((1.05, start + 20), (start, start + 20), lane=lane, place=2)
        script.pair(MarkKind.RUN, start + 20, start + 20.1, lane=lane)
    script.pair(MarkKind.RUN, 65, 70)

    (finding,) = found(script.trace(), Weakness.SERIAL_ON_THREAD)

    assert finding.cost_ms == pytest.approx(40)
    assert finding.count == 2
    assert finding.places == (2,)
    assert len(finding.rows) == 2


def held_over_a_wait(detail: Mapping[str, str]) -> Script:
    connection = Lane(2, LaneKind.CONNECTION, "connection default", 1)
    script = Script(100, THREAD, connection)
    script.pair(MarkKind.RUN, 0, 1, place=0)
    script.hop((1, 10), (1, 10), place=0, detail=detail)
    script.pair(MarkKind.QUERY, 3, 8, lane=1, text="SELECT ?")
    script.pair(MarkKind.CONNECTION, 2, 99, lane=2, place=0, text="default")
    script.pair(MarkKind.RUN, 10, 11, place=1)
    script.pair(MarkKind.RUN, 95, 100)
    return script


def test_a_connection_held_over_an_await_is_found_with_the_await() -> None:
    trace = held_over_a_wait(OWN).trace()

    (finding,) = found(trace, Weakness.CONNECTION_UNUSED)

    assert finding.cost_ms == 97 - 5
    assert finding.places == (0, 1)
    reading = read(trace)
    (row,) = (reading.rows[number - 1] for number in finding.rows)
    assert (row.what, row.effect) == (Happening.SUSPENDED, Effect.CONNECTION)


def test_the_requests_own_thread_is_held_until_the_request_ends() -> None:
    (finding,) = found(held_over_a_wait(OWN).trace(), Weakness.THREAD_UNUSED)

    assert finding.cost_ms == 90
    assert finding.text == "thread 1"


def test_what_blocks_the_loop_comes_before_a_costlier_thread_and_shares_no_line_with_it() -> None:
    """The thread is kept whatever line runs: only the call is put down to its line."""
    script = Script(100, THREAD)
    script.pair(MarkKind.RUN, 0, 1, place=0)
    script.hop((1, 2), (1, 2), place=7, detail=OWN)
    script.pair(MarkKind.RUN, 2, 100)
    script.pair(MarkKind.OUTBOUND, 40, 95, place=2, text="GET 127.0.0.1 200")

    findings = read(script.trace()).findings

    blocks, thread = findings[:2]
    assert (blocks.weakness, blocks.places) == (Weakness.BLOCKS_LOOP, (2,))
    assert thread.weakness is Weakness.THREAD_UNUSED
    assert thread.cost_ms > blocks.cost_ms
    assert 2 not in thread.places


def test_a_thread_of_the_shared_pool_is_free_after_its_call() -> None:
    trace = held_over_a_wait(SHARED).trace()

    assert not found(trace, Weakness.THREAD_UNUSED)
    assert read(trace).demand.thread_held_ms == 9


HOOK = "django.middleware.security.SecurityMiddleware.process_request"


def with_hop(text: str, inside: MarkKind | None = None, inner: str = "") -> Trace:
    script = Script(10, THREAD)
    script.pair(MarkKind.RUN, 0, 1)
    script.hop((1, 3), (1.5, 2.5), text=text)
    if inside is not None:
        script.pair(inside, 1.6, 2.4, lane=1, text=inner)
    script.pair(MarkKind.RUN, 3, 10)
    return script.trace()


def test_a_hop_that_django_makes_for_itself_is_one_that_relief_leaves_out() -> None:
    (finding,) = found(with_hop(HOOK), Weakness.HOPS_OF_DJANGO)

    assert (finding.cost_ms, finding.count, finding.basis) == (2, 1, Basis.ESTIMATED)


@pytest.mark.parametrize(
    "trace",
    [
        with_hop("shop.middleware.Tenant.process_request"),
        with_hop("django.db.models.query.QuerySet.get"),
        with_hop(HOOK, MarkKind.QUERY, "SELECT ?"),
        with_hop(
            "django.dispatch.dispatcher.Signal.asend.<locals>.sync_send",
            MarkKind.RECEIVER,
            "shop.signals.started",
        ),
    ],
    ids=["of the project", "a query", "with a query", "with a receiver of the project"],
)
def test_a_hop_that_does_something_is_none_that_relief_leaves_out(trace: Trace) -> None:
    assert not found(trace, Weakness.HOPS_OF_DJANGO)


def test_key_moments_are_those_of_the_project() -> None:
    """The task that listens for the client's going away waits longest, in every request."""
    listener = Lane(1, LaneKind.TASK, "task listen_for_disconnect", 0)
    script = Script(73, listener)
    calls_of_view(script)
    script.pair(MarkKind.RUN, 1, 1.2, lane=1, place=7)
    script.pair(MarkKind.RUN, 72.8, 72.9, lane=1)
    reading = read(script.trace())

    longest = [each for each in reading.moments if each.kind is MomentKind.LONGEST_WAIT]

    assert [each.ms for each in longest] == [40]
    assert reading.rows[longest[0].row - 1].place == 3


def test_rows_are_numbered_by_time_and_name_lanes_and_places_that_exist() -> None:
    reading = read(held_over_a_wait(OWN).trace())

    assert [row.number for row in reading.rows] == list(range(1, len(reading.rows) + 1))
    assert [row.start_ns for row in reading.rows] == sorted(row.start_ns for row in reading.rows)
    assert reading.rows[0].what is Happening.REQUEST
    assert reading.rows[-1].what is Happening.RETURNED
    (hop,) = (row for row in reading.rows if row.what is Happening.HOP)
    assert (hop.other, hop.place, hop.effect) == (1, 0, Effect.HOLDS)


def test_calls_from_a_comprehension_are_awaits_of_their_own() -> None:
    """Its line is entered once; that another call came back tells one turn from the next."""
    script = Script(73)
    script.pair(MarkKind.RUN, 0, 1, place=2)
    script.pair(MarkKind.RUN, 31, 32, place=2)
    script.pair(MarkKind.RUN, 72, 73)
    script.step(0.1, 8, 1, "call")
    script.step(0.2, 8, 1)
    for number, at_ms in enumerate((0.3, 31.2), start=2):
        script.step(at_ms, 2, number, "call")
        script.step(at_ms + 0.1, 2, number)
        script.step(31.1 if number == 2 else 72.1, 2, number, "return")

    (finding,) = found(script.trace(), Weakness.SERIAL_AWAITS)

    assert (finding.places, finding.count, finding.cost_ms) == ((8,), 2, 30)


def test_a_long_stretch_is_one_finding_of_its_function_however_many_lines_it_has() -> None:
    script = Script(100)
    script.pair(MarkKind.RUN, 0, 100)
    for at_ms in range(0, 100, 10):
        script.step(at_ms, 9 if at_ms % 20 else 8, 1)

    (finding,) = found(script.trace(), Weakness.BLOCKS_LOOP)

    assert finding.cost_ms == 100
    assert finding.places in {(8,), (9,)}


def test_a_stretch_belongs_to_what_filled_most_of_it() -> None:
    """The last middleware calls the view within one run: the run is the view's, not its own."""
    script = Script(100)
    script.pair(MarkKind.RUN, 0, 20)
    script.pair(MarkKind.MIDDLEWARE, 0, 95, text="shop.Middleware")
    script.pair(MarkKind.VIEW, 1, 90, text="shop.view")
    script.step(1, 0, 1)

    (ran,) = [row for row in read(script.trace()).rows if row.what is Happening.RAN]

    assert ran.text == "shop.view"


def test_a_thread_that_waits_for_the_loop_is_no_queue() -> None:
    """A sync middleware's thread takes the queries of the async view that it waits for."""
    script = Script(100, THREAD, Lane(2, LaneKind.TASK, "task view", 1))
    script.pair(MarkKind.RUN, 0, 1)
    script.hop((1, 95), (1, 95))
    script.pair(MarkKind.BACK, 2, 94, lane=1)
    script.pair(MarkKind.RUN, 3, 4, lane=2, place=2)
    script.hop((4, 60), (30, 60), lane=2, place=2)
    script.pair(MarkKind.RUN, 60, 90, lane=2)
    script.pair(MarkKind.RUN, 95, 100)

    assert not found(script.trace(), Weakness.SERIAL_ON_THREAD)
