"""Requests of every kind through `api.trace`: what each trace says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import freeloop
from freeloop.model.trace import Edge, Mark, MarkKind, Origin, Trace
from tests.projects.written import write_project

pytestmark = pytest.mark.real

VIEWS = """
import asyncio
import contextvars
import threading
import time

from django.http import HttpResponse, StreamingHttpResponse

from site_prices import price


class Hostile:
    def _refuse(self, *arguments):
        raise AssertionError("the recorder ran code of the project")

    __repr__ = __str__ = __len__ = __iter__ = __eq__ = __hash__ = __bool__ = _refuse


async def raises(request):
    await asyncio.sleep(0.001)
    raise ValueError("no soup")


async def blocks(request):
    return HttpResponse(str(price()))


async def hostile(request):
    dish = Hostile()
    others = [Hostile(), dish]
    password = "hunter2"
    cents = 250
    cents += 50
    await asyncio.sleep(0.001)
    del others
    return HttpResponse(f"{cents} {len(password)}")


async def waits(request):
    await asyncio.sleep(20)
    return HttpResponse("late")


def stubborn(request):
    time.sleep(3)
    return HttpResponse("late")


async def one(name, seconds):
    await asyncio.sleep(seconds)
    return name


async def tasks(request):
    first, second = await asyncio.gather(one("a", 0.01), one("b", 0.02))
    async with asyncio.TaskGroup() as group:
        third = group.create_task(one("c", 0.01))
    lost = asyncio.create_task(one("d", 20))
    await asyncio.sleep(0)
    lost.cancel()
    return HttpResponse(first + second + third.result())


async def factory(request):
    made = []
    loop = asyncio.get_running_loop()

    def make(loop, coro, **named):
        made.append(coro)
        return asyncio.Task(coro, loop=loop, **named)

    before = loop.get_task_factory()
    loop.set_task_factory(make)
    try:
        await asyncio.gather(one("a", 0.001), one("b", 0.001))
    finally:
        loop.set_task_factory(before)
    return HttpResponse(str(len(made)))


def threads(request):
    found = []
    workers = [threading.Thread(target=found.append, args=(n,)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return HttpResponse(str(len(found)))


def opens(request):
    with open(__file__) as file:
        return HttpResponse(str(len(file.read()) > 0))


async def streams(request):
    async def parts():
        for number in range(3):
            await asyncio.sleep(0.005)
            yield str(number)

    return StreamingHttpResponse(parts())


async def loops(request):
    total = 0
    for number in range(100_000):
        total += number
    return HttpResponse(str(total))
"""
NAMES = (
    "raises", "blocks", "hostile", "waits", "stubborn", "tasks", "factory", "threads", "opens",
    "streams", "loops",
)  # fmt: skip
# A library that sleeps by a name of its own: no stand-in sees it.
SLOW_LIBRARY = """
from time import sleep

def fetch():
    sleep(0.06)
    return 250
"""
PRICES = "import slow_library\n\n\ndef price():\n    return slow_library.fetch()\n"

type Record = Callable[..., Trace]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Record a request to one of the views above."""
    folder = tmp_path_factory.mktemp("site")
    write_project(folder, VIEWS)
    (folder / "site_prices.py").write_text(PRICES)
    installed = folder / "lib" / "site-packages"
    installed.mkdir(parents=True)
    (installed / "slow_library.py").write_text(SLOW_LIBRARY)
    paths = "".join(f"path('{name}/', site_views.{name}), " for name in NAMES)
    (folder / "site_urls.py").write_text(
        f"from django.urls import path\nimport site_views\nurlpatterns = [{paths}]\n"
    )
    with (folder / "site_settings.py").open("a") as settings:
        settings.write(f"import sys\nsys.path.append({str(installed)!r})\n")

    def trace(name: str, **options: Any) -> Trace:
        return freeloop.trace(f"/{name}/?token=hunter2", start=folder, **options)

    return trace


def begins(trace: Trace, kind: MarkKind) -> list[Mark]:
    return [mark for mark in trace.marks if mark.kind is kind and mark.edge is not Edge.END]


def ends(trace: Trace, kind: MarkKind) -> list[Mark]:
    return [mark for mark in trace.marks if mark.kind is kind and mark.edge is Edge.END]


def line_of(text: str, source: str) -> int:
    return next(n for n, line in enumerate(source.splitlines(), 1) if text in line)


def test_a_view_that_raises_is_recorded_with_its_line_and_its_stack(record: Record) -> None:
    """Django turns it into an answer of 500; the trace tells what it was."""
    trace = record("raises")

    (raised,) = begins(trace, MarkKind.RAISED)
    (view,) = ends(trace, MarkKind.VIEW)
    assert trace.request.status == 500
    assert trace.request.error == ""
    assert raised.text == "ValueError: no soup"
    assert raised.place is not None
    assert trace.places[raised.place].line == line_of("no soup", VIEWS)
    assert str(raised.detail["stack"]).startswith("site_views.py:")
    assert view.detail["raised"] == "ValueError"


def test_a_block_inside_a_library_names_the_line_of_the_project(record: Record) -> None:
    """60 ms in a library that a helper calls: nobody looks there without being told.

    The sampler is a thread like any other: a machine that gives it no core for 60 ms gets no
    sample, so there are ten tries.
    """
    traces = (record("blocks") for _ in range(10))
    trace = next(trace for trace in traces if trace.samples)

    places = [trace.places[number] for sample in trace.samples for number in sample.frames]
    deepest = [
        next(place for place in map(trace.places.__getitem__, sample.frames)
             if place.origin is Origin.PROJECT)
        for sample in trace.samples
    ]  # fmt: skip
    named = Counter((place.path, place.line) for place in deepest)
    assert named.most_common(1)[0][0] == ("site_prices.py", line_of("fetch()", PRICES))
    assert "slow_library.py" in {place.path for place in places}
    assert trace.sources["site_prices.py"] == PRICES


def test_no_code_of_the_project_is_run_for_its_variables(record: Record) -> None:
    """A class that raises whatever it is asked, in the locals of the view."""
    trace = record("hostile")

    changes = [
        (each.name, each.shown, each.change) for step in trace.steps for each in step.variables
    ]
    assert trace.request.status == 200
    assert "recorder" not in trace.environment.probes_off
    assert ("dish", "Hostile", "new") in changes
    assert ("others", "list of 2: Hostile, Hostile", "new") in changes
    assert ("cents", "250", "new") in changes
    assert ("cents", "300", "changed") in changes
    assert [change for name, _, change in changes if name == "others"] == ["new", "gone"]


def test_secrets_stay_out_of_the_trace(record: Record) -> None:
    """Of variables, and of the query of the request itself."""
    trace = record("hostile")

    steps = [each.shown for step in trace.steps for each in step.variables]
    texts = [mark.text for mark in trace.marks]
    assert "(masked)" in steps
    assert not any("hunter2" in text for text in [*steps, *texts, trace.request.path])
    assert trace.request.path == "/hostile/?token=***"


def test_steps_tell_calls_suspensions_and_returns(record: Record) -> None:
    """In the order in which the view runs."""
    trace = record("hostile")

    view = [step.event for step in trace.steps if step.frame == trace.steps[0].frame]
    assert view[0] == "call"
    assert view[-1] == "return"
    assert view.index("suspend") + 1 == view.index("resume")


@pytest.mark.parametrize(("name", "interface"), [("waits", "asgi"), ("stubborn", "wsgi")])
def test_a_request_that_does_not_end_is_stopped_and_says_so(
    record: Record, name: str, interface: str
) -> None:
    """Nobody waits for ever, and what happened until then is there."""
    trace = record(name, interface=interface, timeout_s=0.5, warm_up=False)

    assert trace.request.error == "stopped by freeloop: no end within 0.5 s"
    assert trace.duration_ns > 0.4e9
    assert begins(trace, MarkKind.SLEEP)


def test_a_client_that_leaves_cancels_the_view(record: Record) -> None:
    """The trace shows who was cancelled where."""
    trace = record("waits", leave_after_s=0.1, warm_up=False)

    (view,) = ends(trace, MarkKind.VIEW)
    assert view.detail["raised"] == "asyncio.exceptions.CancelledError"
    assert trace.request.status is None
    assert trace.duration_ns < 5e9


def test_tasks_have_lanes_and_tell_how_they_ended(record: Record) -> None:
    """Gathered, grouped, created and cancelled."""
    trace = record("tasks")

    own = [lane for lane in trace.lanes if lane.name == "task one"]
    ended = [str(mark.detail["ended"]) for mark in ends(trace, MarkKind.TASK) if mark.text == "one"]
    assert len(own) == 4
    assert sorted(ended) == ["asyncio.exceptions.CancelledError", "return", "return", "return"]
    assert all(lane.parent == own[0].parent for lane in own)


def test_a_task_factory_of_the_project_is_used(record: Record) -> None:
    """It is the project's to say how its tasks are made."""
    trace = record("factory")

    assert trace.request.sent_bytes == 1
    assert sum(lane.name == "task one" for lane in trace.lanes) == 2


def test_threads_that_a_view_starts_have_lanes(record: Record) -> None:
    """Under WSGI nothing else starts one."""
    trace = record("threads", interface="wsgi")

    started = [mark for mark in begins(trace, MarkKind.THREAD_STARTED) if mark.lane == 0]
    assert len(started) == 3
    assert len(begins(trace, MarkKind.WORK)) == 3
    assert len({mark.lane for mark in begins(trace, MarkKind.WORK)}) == 3


def test_a_file_is_shown_as_the_project_sees_it(record: Record) -> None:
    """No path of the machine, and nothing that was in it."""
    trace = record("opens", interface="wsgi")

    (opened,) = begins(trace, MarkKind.FILE)
    assert opened.text == "open site_views.py"


def test_a_stream_is_recorded_to_its_end(record: Record) -> None:
    """The view returns long before its answer has been sent."""
    trace = record("streams")

    (first,) = begins(trace, MarkKind.FIRST_BYTE)
    (view,) = ends(trace, MarkKind.VIEW)
    assert trace.request.streamed
    assert trace.request.sent_bytes == 3
    assert view.at_ns < first.at_ns < trace.duration_ns
    assert len(begins(trace, MarkKind.SLEEP)) == 3


def test_a_loop_is_stepped_through_a_hundred_times_only(record: Record) -> None:
    """An unbounded recording would slow it down hundreds of times, and say nothing more."""
    trace = record("loops")

    number = line_of("total += number", VIEWS)
    steps = [step for step in trace.steps if trace.places[step.place].line == number]
    assert len(steps) == 100
    assert f"site_views.py:{number}" in trace.environment.probes_off["lines"]
    assert trace.environment.dropped == 0


def test_without_lines_there_is_no_step(record: Record) -> None:
    """Cheaper, and the rest is the same."""
    trace = record("tasks", lines=False)

    assert trace.steps == ()
    assert begins(trace, MarkKind.VIEW)


def test_a_write_is_refused_without_permission(tmp_path: Path) -> None:
    """A trace runs the request twice: once to warm up."""
    write_project(tmp_path, "def view(request):\n    ...\n")

    with pytest.raises(freeloop.FreeloopError) as caught:
        freeloop.trace(freeloop.RequestSpec("x", url="/view/", method="POST"), start=tmp_path)

    assert caught.value.slug == "writes-not-allowed"
    assert "twice" in caught.value.what
