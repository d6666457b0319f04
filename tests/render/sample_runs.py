"""Made-up runs to draw: inputs of tests, never results."""

from __future__ import annotations

from dataclasses import replace

from freeloop.model.plan import Arm, Question
from freeloop.model.run import (
    Arrivals,
    Environment,
    Observed,
    PairResult,
    Quantiles,
    RaceLane,
    RaceResult,
    Round,
    Run,
    Series,
    SideResult,
)
from freeloop.model.verdict import Answer, Basis, Cause, Interval, Verdict

WOBBLE = (1.0, 0.94, 1.05, 0.98, 1.03)
MIB = 1024 * 1024

GTHREAD4 = Arm("gthread4", "gunicorn:gthread", threads=4)
GTHREAD50 = Arm("gthread50", "gunicorn:gthread", threads=50)
UVICORN = Arm("uvicorn", "uvicorn")

ENVIRONMENT = Environment(
    freeloop="0.1.0",
    started="2026-11-20T12:00:00+00:00",
    python="CPython 3.13.0",
    packages={
        "django": "6.1.3",
        "asgiref": "3.13.0",
        "gunicorn": "27.0.1",
        "uvicorn": "0.54.0",
        "uvloop": "0.22.1",
    },
    platform="Linux 6.1 x86_64",
    cores=2,
    server_cores=(0,),
    client_cores=(1,),
    databases=("default: SQLite, cafe.sqlite3, no pool",),
    middleware=("django.middleware.security.SecurityMiddleware",),
    command="freeloop bench --pair /wait/ /wait-async/",
    load_before=0.4,
)


def rounds(
    rps: float,
    cpu_ms: float,
    p50_ms: float,
    *,
    threads: int,
    mib: int = 96,
    gap_ms: float | None = None,
    first_ms: float | None = None,
    failed: int = 0,
    queue_ms: float | None = 20.0,
    strangers: float | None = 0.03,
) -> tuple[Round, ...]:
    """Return five rounds that wobble around these figures."""
    first = p50_ms * 0.98 if first_ms is None else first_ms
    return tuple(
        Round(
            seconds=1.25,
            completed=round(rps * factor * 1.25),
            failed=failed,
            cpu_ms=cpu_ms / factor,
            queue_ms=queue_ms,
            strangers=strangers,
            busy=min(1.0, rps * cpu_ms / 1000),
            latency=Quantiles(p50_ms / factor, p50_ms * 1.08 / factor, p50_ms * 1.6 / factor),
            first_byte=Quantiles(first / factor, first * 1.1 / factor, first * 1.6 / factor),
            gap=None if gap_ms is None else Quantiles(gap_ms, gap_ms * 1.1, gap_ms * 1.4),
            threads=threads,
            rss_bytes=mib * MIB,
        )
        for factor in WOBBLE
    )


def series(
    arrivals: Arrivals, concurrency: int, made: tuple[Round, ...], rate_rps: float | None = None
) -> Series:
    """Return the rounds as a series."""
    return Series(arrivals, concurrency, rate_rps, made)


def side(
    arm: Arm,
    path: str,
    concurrency: int,
    *,
    rps: float,
    cpu_ms: float,
    p50_ms: float,
    is_async: bool | None = False,
    threads: int | None = None,
    limit: int | None = None,
    more: float | None = None,
    observed: Observed | None = None,
    gap_ms: float | None = None,
    first_ms: float | None = None,
    neighbour_ms: float | None = None,
    failed: int = 0,
    queue_ms: float | None = 20.0,
    strangers: float | None = 0.03,
) -> SideResult:
    """Return one side with closed and open rounds."""
    peak = (limit or concurrency) + 3 if threads is None else threads
    made = rounds(
        rps, cpu_ms, p50_ms, threads=peak, gap_ms=gap_ms, first_ms=first_ms, failed=failed,
        queue_ms=queue_ms, strangers=strangers,
    )  # fmt: skip
    rate = round(rps * 0.6, 1)
    calm = rounds(rate, cpu_ms, min(p50_ms, p50_ms * 0.7 + 8), threads=peak, gap_ms=gap_ms)
    neighbour = None
    if neighbour_ms is not None:
        light = rounds(20, cpu_ms, neighbour_ms, threads=peak)
        neighbour = series(Arrivals.OPEN, 8, light, 20.0)
    return SideResult(
        arm=arm,
        request=path.strip("/"),
        path=path,
        view_is_async=is_async,
        unloaded_ms=50.4,
        closed=series(Arrivals.CLOSED, concurrency, made),
        open=series(Arrivals.OPEN, concurrency * 4, calm, rate),
        quiet_rps=rps * 1.04,
        thread_limit=limit,
        more_threads=more,
        observed=observed,
        neighbour=neighbour,
        neighbour_alone=None if neighbour is None else Quantiles(2.1, 2.6, 4.4),
        failures={"status 500": failed} if failed else {},
    )


SEEN_WSGI = Observed(
    requests=200,
    threads_started=0.0,
    connections_held=4,
    connections_opened=1.0,
    thread_held_ms=50.3,
    cpu_shares={"django": 0.71, "gunicorn": 0.29},
)
SEEN_ASGI = Observed(
    requests=200,
    threads_started=2.0,
    connections_held=0,
    connections_opened=0.0,
    loop_held_ms=0.4,
    loop_cpu_ms=0.4,
    longest_hold_ms=0.2,
    loop_delay_ms=2.1,
    cpu_shares={"asgiref": 0.44, "django": 0.38, "uvicorn": 0.18},
)
SEEN_BLOCKED = replace(
    SEEN_ASGI, loop_held_ms=50.6, longest_hold_ms=50.2, blocked_at="cafe/views.py:41 price_of"
)


def thread_cap(concurrency: int) -> PairResult:
    """Return the wait pair against gthread with 4 threads."""
    capped = concurrency > 4
    verdict = (
        Verdict(
            Answer.HELPS,
            Interval(3.1, 2.9, 3.4, 0.99),
            Basis.MEASURED,
            Cause.THREAD_CAP,
            ("4 threads at 50 ms each allow 80 requests/s",),
            rounds=5,
        )
        if capped
        else Verdict(
            Answer.NO_DIFFERENCE,
            Interval(0.98, 0.94, 1.03, 0.99),
            Basis.MEASURED,
            Cause.WAIT_BOUND,
            ("each request waits 50 ms of 52 ms on both sides",),
            rounds=7,
        )
    )
    slow = min(concurrency, 4) / 0.0505
    fast = min(concurrency / 0.052, slow * 3.1) if capped else slow * 0.98
    return PairResult(
        "wait",
        Question.REWRITE,
        concurrency,
        verdict,
        side(
            GTHREAD4, "/wait/", concurrency, rps=slow, cpu_ms=0.48,
            p50_ms=concurrency / slow * 1000, limit=4, threads=7,
            more=concurrency / 0.0515 if capped else None, observed=SEEN_WSGI,
        ),
        side(
            UVICORN, "/wait-async/", concurrency, rps=fast, cpu_ms=0.9,
            p50_ms=concurrency / fast * 1000, is_async=True, observed=SEEN_ASGI,
        ),
    )  # fmt: skip


def serve_hurts(concurrency: int) -> PairResult:
    """Return a trivial sync view that is dearer under ASGI."""
    return PairResult(
        "hello",
        Question.SERVE,
        concurrency,
        Verdict(
            Answer.HURTS,
            Interval(0.24, 0.21, 0.27, 0.99),
            Basis.MEASURED,
            Cause.ASGI_FIXED_COST,
            ("1.08 ms CPU per request against 0.26 ms, and 2.0 threads started per request",),
            rounds=5,
        ),
        side(GTHREAD50, "/hello/", concurrency, rps=3600, cpu_ms=0.26, p50_ms=concurrency / 3.6,
             limit=50, observed=SEEN_WSGI),
        side(UVICORN, "/hello/", concurrency, rps=880, cpu_ms=1.08, p50_ms=concurrency / 0.88,
             observed=SEEN_ASGI),
    )  # fmt: skip


def cpu_no_difference() -> PairResult:
    """Return a pair in which the core is the limit on both sides."""
    return PairResult(
        "cpu",
        Question.REWRITE,
        10,
        Verdict(
            Answer.NO_DIFFERENCE,
            Interval(1.02, 0.97, 1.06, 0.99),
            Basis.MEASURED,
            Cause.CPU_BOUND,
            ("21 ms CPU per request on both sides keep the core busy 99 %",),
            rounds=8,
        ),
        side(GTHREAD50, "/cpu/", 10, rps=46, cpu_ms=21.3, p50_ms=217, limit=50, queue_ms=900.0,
             strangers=0.42),
        side(UVICORN, "/cpu-async/", 10, rps=47, cpu_ms=21.1, p50_ms=213, is_async=True,
             queue_ms=820.0),
    )  # fmt: skip


def refused() -> PairResult:
    """Return a pair without a verdict, since too many answers were wrong."""
    return PairResult(
        "report",
        Question.REWRITE,
        50,
        Verdict(
            Answer.UNKNOWN,
            None,
            Basis.MEASURED,
            missing="B failed 12 % of its requests (status 500); at most 1 % are allowed",
            rounds=2,
        ),
        side(GTHREAD50, "/report/", 50, rps=120, cpu_ms=3.1, p50_ms=410, limit=50),
        side(UVICORN, "/report-async/", 50, rps=88, cpu_ms=4.6, p50_ms=560, is_async=True,
             failed=12, queue_ms=None),
    )  # fmt: skip


def undecided() -> PairResult:
    """Return a pair that twenty rounds could not decide, answered under `setting`."""
    return PairResult(
        "threads",
        Question.SETTING,
        10,
        Verdict(
            Answer.UNKNOWN,
            Interval(1.09, 0.91, 1.31, 0.99),
            Basis.MEASURED,
            missing="not decidable on this machine: rounds differ by 30 %, use quieter cores",
            rounds=20,
        ),
        side(GTHREAD4, "/quick/", 10, rps=410, cpu_ms=1.9, p50_ms=24, limit=4),
        side(GTHREAD50, "/quick/", 10, rps=447, cpu_ms=1.8, p50_ms=22, limit=50),
    )


def stream() -> PairResult:
    """Return an event stream whose sync twin is capped by threads."""
    return PairResult(
        "stream",
        Question.REWRITE,
        50,
        Verdict(
            Answer.HELPS,
            Interval(11.8, 10.9, 12.7, 0.99),
            Basis.MEASURED,
            Cause.THREAD_CAP,
            ("4 threads hold one stream of 100 ms each: 40 streams/s",),
            rounds=5,
        ),
        side(GTHREAD4, "/events/", 50, rps=38.9, cpu_ms=1.3, p50_ms=1285, limit=4, gap_ms=20.3,
             first_ms=1180, more=437.0, threads=7),
        side(UVICORN, "/events-async/", 50, rps=459, cpu_ms=1.05, p50_ms=108, is_async=True,
             gap_ms=20.9, first_ms=4.2),
    )  # fmt: skip


def neighbour() -> PairResult:
    """Return a hidden blocking call that stalls a light request beside it."""
    return PairResult(
        "hidden blocking call",
        Question.REWRITE,
        50,
        Verdict(
            Answer.HURTS,
            Interval(0.021, 0.019, 0.023, 0.99),
            Basis.MEASURED,
            Cause.BLOCKED_LOOP,
            ("each request holds the loop 50.6 ms in cafe/views.py:41 price_of",),
            rounds=5,
        ),
        side(GTHREAD50, "/price/", 50, rps=940, cpu_ms=0.61, p50_ms=52.4, limit=50,
             observed=SEEN_WSGI, neighbour_ms=4.1),
        side(UVICORN, "/price-async/", 50, rps=19.7, cpu_ms=1.02, p50_ms=2530, is_async=True,
             observed=SEEN_BLOCKED, neighbour_ms=1240),
    )  # fmt: skip


RACE = RaceResult(
    "slow_view",
    20,
    (
        RaceLane(Arm("sync", "gunicorn:sync"), "/slow/", 20, 3004.0, 60080.0, 3, 1),
        RaceLane(GTHREAD4, "/slow/", 20, 3006.0, 15031.0, 7, 4),
        RaceLane(UVICORN, "/slow-async/", 20, 3011.0, 3048.0, 22, None),
        RaceLane(Arm("broken", "granian:asgi"), "/slow-async/", 0, None, None, 4, None),
    ),
)

HELPS = Run(ENVIRONMENT, (thread_cap(50),))
HURTS = Run(ENVIRONMENT, (serve_hurts(50),))
NO_DIFFERENCE = Run(ENVIRONMENT, (cpu_no_difference(),))
UNKNOWN = Run(
    ENVIRONMENT, (refused(), undecided()), notes=("Run-queue delay of granian: not readable",)
)
STREAM = Run(ENVIRONMENT, (stream(),))
NEIGHBOUR = Run(ENVIRONMENT, (neighbour(),))
RACES = Run(ENVIRONMENT, races=(RACE,))
MANY = Run(
    ENVIRONMENT,
    (
        *(thread_cap(concurrency) for concurrency in (1, 10, 50)),
        *(serve_hurts(concurrency) for concurrency in (1, 10, 50)),
        cpu_no_difference(),
        stream(),
        neighbour(),
        refused(),
        undecided(),
    ),
    (RACE,),
    ("Database connections of granian: its workers start no agent",),
)
CUT_SHORT = replace(HELPS, complete=False)
EMPTY = Run(replace(ENVIRONMENT, databases=(), load_before=None), complete=False)

BY_NAME = {
    "helps": HELPS,
    "hurts": HURTS,
    "no_difference": NO_DIFFERENCE,
    "unknown": UNKNOWN,
    "stream": STREAM,
    "neighbour": NEIGHBOUR,
    "races": RACES,
    "many": MANY,
    "cut_short": CUT_SHORT,
    "empty": EMPTY,
}
