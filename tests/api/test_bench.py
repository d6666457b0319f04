"""`freeloop.bench` on the sample project: what it concludes from real servers, and why."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from freeloop import BenchOptions, bench
from freeloop.errors import FreeloopError
from freeloop.model.plan import Arm, Pair, Plan, Question, Race, Side
from freeloop.model.progress import Step
from freeloop.model.request import Kind, RequestSpec
from freeloop.model.run import PairResult, Run
from freeloop.model.verdict import Answer, Cause
from tests.projects.written import write_project

CAFE = Path(__file__).resolve().parents[2] / "examples" / "cafe"
UVICORN = Arm("uvicorn", "uvicorn")
RELIEVED = Arm("relieved", "uvicorn", relief=True)
THREADS = Arm("gthread", "gunicorn:gthread")
FOUR_THREADS = Arm("four threads", "gunicorn:gthread", threads=4)
SYNC_WORKER = Arm("sync", "gunicorn:sync")
QUICK = BenchOptions(max_rounds=5)

pytestmark = [pytest.mark.real, pytest.mark.alone, pytest.mark.needs("linux")]


@pytest.fixture(scope="module", autouse=True)
def backing() -> Iterator[None]:
    """Put supplier and database behind the café, which is no package."""
    spec = importlib.util.spec_from_file_location("cafe_backing", CAFE / "backing.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.surroundings() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


def get(url: str, *, kind: Kind = Kind.HTTP) -> RequestSpec:
    """Return the GET request of a path of the café."""
    return RequestSpec(name=url, url=url, kind=kind)


PAIRS = (
    Pair(
        "hidden",
        Question.REWRITE,
        Side(UVICORN, get("/hidden/async/?ms=20")),
        Side(UVICORN, get("/hidden/mended/async/?ms=20")),
        concurrency=(10,),
        neighbour=get("/health/"),
    ),
    Pair(
        "few threads",
        Question.REWRITE,
        Side(FOUR_THREADS, get("/wait/sync/?ms=50")),
        Side(UVICORN, get("/wait/async/?ms=50")),
        concurrency=(20,),
    ),
    Pair(
        "stream",
        Question.REWRITE,
        Side(UVICORN, get("/stream/sync/", kind=Kind.STREAM)),
        Side(UVICORN, get("/stream/async/", kind=Kind.STREAM)),
        concurrency=(5,),
    ),
    Pair(
        "relief",
        Question.SETTING,
        Side(UVICORN, get("/hello/async/")),
        Side(RELIEVED, get("/hello/async/")),
        concurrency=(10,),
    ),
    Pair(
        "interrupted",
        Question.SERVE,
        Side(THREADS, get("/hello/async/")),
        Side(UVICORN, get("/hello/async/")),
        concurrency=(4,),
    ),
)


@pytest.fixture(scope="module")
def run(backing: None) -> Run:
    """All pairs in one run, which somebody interrupts in the last of them."""
    with sigint_when_set() as wanted:

        def stop_in_the_last(step: Step) -> None:
            if step.title.startswith("interrupted") and step.doing.startswith("timed round 2"):
                wanted.set()

        return bench(Plan(pairs=PAIRS), start=CAFE, options=QUICK, progress=stop_in_the_last)


@pytest.fixture
def hidden(run: Run) -> PairResult:
    """A blocking call two calls below an async view, and its mended twin, beside a neighbour."""
    return found(run, "hidden")


def found(run: Run, pair: str) -> PairResult:
    return next(result for result in run.pairs if result.pair == pair)


@contextmanager
def sigint_when_set() -> Iterator[threading.Event]:
    """Send SIGINT to this process when the event is set; restore the handler afterwards."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    wanted, over = threading.Event(), threading.Event()

    def send() -> None:
        wanted.wait()
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield wanted
    finally:
        over.set()
        wanted.set()
        thread.join()
        signal.signal(signal.SIGINT, before)


# An interrupt may fall between the opening of a file in /proc, which psutil reads, and its use.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(400)
def test_what_was_finished_survives_an_interrupt(run: Run) -> None:
    """Minutes of measuring are the user's work."""
    assert not run.complete
    assert [result.pair for result in run.pairs] == ["hidden", "few threads", "stream", "relief"]


def test_a_blocking_call_in_an_async_view_is_named_with_its_line(hidden: PairResult) -> None:
    """The fault that hides best: sync code two calls below an async view."""
    a = hidden.a

    assert hidden.verdict.answer is Answer.HELPS
    assert hidden.verdict.cause is Cause.BLOCKED_LOOP
    assert a.observed is not None
    assert a.observed.blocked_at is not None
    assert a.observed.blocked_at.startswith("kitchen/market.py:")
    assert 0.6 < a.closed.rounds[-1].throughput_rps * a.unloaded_ms / 1000 < 1.3


def test_a_neighbour_suffers_beside_a_held_loop_only(hidden: PairResult) -> None:
    """What one slow view does to a light request beside it."""
    a, b = hidden.a, hidden.b

    assert a.neighbour is not None
    assert b.neighbour is not None
    assert a.neighbour_alone is not None
    assert a.neighbour.rounds[0].latency.p50 > 5 * a.neighbour_alone.p50
    assert a.neighbour.rounds[0].latency.p50 > 2 * b.neighbour.rounds[0].latency.p50


def test_too_few_threads_are_the_cause_and_more_are_estimated(run: Run) -> None:
    """A baseline with four threads loses against anything that waits elsewhere: say so."""
    result = found(run, "few threads")

    assert result.verdict.answer is Answer.HELPS
    assert result.verdict.cause is Cause.THREAD_CAP
    assert result.a.thread_limit == 4
    assert result.a.more_threads is not None
    assert result.a.more_threads > 2 * result.a.quiet_rps


def test_a_buffered_stream_shows_in_the_gaps_of_its_events(run: Run) -> None:
    """First byte alone would call the buffered one quicker."""
    result = found(run, "stream")

    buffered, sent = (
        median(each.gap.p50 for each in side.closed.rounds if each.gap is not None)
        for side in (result.a, result.b)
    )
    assert buffered < 0.3 * sent


def test_what_relief_spares_is_seen_on_both_sides(run: Run) -> None:
    """The cause rests on it: the same view, the same server, and no thread for a request."""
    result = found(run, "relief")

    a, b = result.a, result.b
    assert a.observed is not None
    assert b.observed is not None
    assert a.observed.threads_started >= 1
    assert b.observed.threads_started < 0.1
    stock, relieved = (median(each.cpu_ms for each in side.closed.rounds) for side in (a, b))
    assert relieved < 0.7 * stock


def test_relief_is_refused_on_a_wsgi_server_before_anything_starts() -> None:
    """Plans from Python are not read from a file that would have named the key."""
    hello = get("/hello/sync/")
    relieved = Arm("relieved threads", "gunicorn:gthread", relief=True)
    pair = Pair("relief", Question.SETTING, Side(THREADS, hello), Side(relieved, hello), (4,))

    with pytest.raises(FreeloopError) as raised:
        bench(Plan(pairs=(pair,)), start=CAFE, options=QUICK)

    assert raised.value.slug == "relief-needs-asgi"
    assert "relieved threads" in raised.value.where


def test_a_race_orders_servers_by_their_threads() -> None:
    """Eight waits of 0.2 s: one after another, four at once, all at once."""
    wait = get("/wait/sync/?ms=200")
    race = Race("waits", 8, tuple(Side(arm, wait) for arm in (SYNC_WORKER, FOUR_THREADS, THREADS)))

    run = bench(Plan(races=(race,)), start=CAFE)

    single, four, many = (lane.last_ms or 0.0 for lane in run.races[0].lanes)
    assert [lane.answered for lane in run.races[0].lanes] == [8, 8, 8]
    assert single > 2.5 * four > 2.5 * 1.4 * many


def test_more_failures_than_one_in_a_hundred_are_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fast errors are not throughput."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    write_project(
        tmp_path,
        "import itertools\n"
        "from django.http import HttpResponse\n"
        "numbers = itertools.count()\n"
        "def view(request):\n"
        "    return HttpResponse(status=503 if next(numbers) % 10 == 9 else 200)\n",
    )
    side = get("/view/")

    run = bench(
        Plan(pairs=(Pair("view", Question.SERVE, Side(THREADS, side), Side(UVICORN, side), (4,)),)),
        start=tmp_path,
        options=QUICK,
    )

    verdict = run.pairs[0].verdict
    assert verdict.answer is Answer.UNKNOWN
    assert "at most 1 % may fail" in verdict.missing
    assert "status 503" in verdict.missing
