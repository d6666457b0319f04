from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freeloop.judge.cause import cause_of
from freeloop.model.plan import Question
from freeloop.model.verdict import Answer, Cause
from tests.judge.sides import NOTHING_SEEN, Shown

if TYPE_CHECKING:
    from freeloop.judge.cause import Found

REWRITE, SERVE, SETTING = Question.REWRITE, Question.SERVE, Question.SETTING
HELPS, HURTS, SAME = Answer.HELPS, Answer.HURTS, Answer.NO_DIFFERENCE

# Each side as such servers showed it with 50 requests in flight on one core.
FOUR_THREADS = Shown(
    74, cpu_ms=0.9, unloaded_ms=52, server="gunicorn:gthread", threads=4, async_view=False
)
LOOP = Shown(620, cpu_ms=0.75, unloaded_ms=52)
MANY_THREADS = FOUR_THREADS.but(rps=880, cpu_ms=0.8, threads=50)
POOL_OF_TEN = Shown(
    156,
    cpu_ms=1.5,
    unloaded_ms=52,
    seen=replace(NOTHING_SEEN, connections_held=10, pool_max=10),
)
POOL_OF_HUNDRED = Shown(
    504,
    cpu_ms=1.5,
    unloaded_ms=52,
    busy=0.8,
    seen=replace(NOTHING_SEEN, connections_held=50, pool_max=100),
)
HTTPX = Shown(
    140,
    cpu_ms=6.8,
    unloaded_ms=55,
    seen=replace(NOTHING_SEEN, cpu_shares={"httpcore": 0.4, "anyio": 0.2, "django": 0.2}),
)
AIOHTTP = Shown(626, cpu_ms=0.91, unloaded_ms=52)
HELLO_WSGI = Shown(
    3100, cpu_ms=0.32, unloaded_ms=0.6, server="gunicorn:gthread", threads=50, async_view=False
)
HELLO_ASGI = Shown(
    680,
    cpu_ms=1.47,
    unloaded_ms=1.9,
    async_view=False,
    seen=replace(
        NOTHING_SEEN,
        threads_started=2.0,
        cpu_shares={"asgiref": 0.45, "django": 0.3, "uvicorn": 0.15, "cafe": 0.1},
    ),
)
RELIEVED = HELLO_ASGI.but(
    rps=3400,
    cpu_ms=0.29,
    unloaded_ms=0.5,
    relief=True,
    seen=replace(NOTHING_SEEN, cpu_shares={"django": 0.6, "freeloop": 0.2, "uvicorn": 0.2}),
)
BLOCKED = Shown(
    19,
    cpu_ms=1.3,
    unloaded_ms=51.5,
    seen=replace(
        NOTHING_SEEN,
        loop_held_ms=50.9,
        loop_cpu_ms=1.1,
        longest_hold_ms=50.2,
        blocked_at="cafe/prices.py:14 fetch_rate",
        loop_delay_ms=48.0,
    ),
)
CPU = Shown(47, cpu_ms=21, unloaded_ms=22, server="gunicorn:gthread", threads=50, busy=1.0)
CPU_ASYNC = Shown(45, cpu_ms=22, unloaded_ms=23, busy=1.0)
FOUR_CALLS = Shown(
    230, cpu_ms=1.3, unloaded_ms=205, server="gunicorn:gthread", threads=50, async_view=False
)
GATHERED = Shown(700, cpu_ms=1.3, unloaded_ms=55, busy=0.95)


def why(question: Question, answer: Answer, a: Shown, b: Shown) -> Found:
    """Return the cause for two sides, with one core."""
    return cause_of(question, answer, a.side(), b.side(), cores=1)


@pytest.mark.parametrize(
    ("question", "answer", "a", "b", "cause", "said"),
    [
        (SERVE, HELPS, FOUR_THREADS, LOOP, Cause.THREAD_CAP, "4 at once"),
        (SETTING, HELPS, FOUR_THREADS, MANY_THREADS, Cause.THREAD_CAP, "4 at once"),
        (REWRITE, HURTS, LOOP, FOUR_THREADS, Cause.THREAD_CAP, "side B"),
        (SETTING, HELPS, POOL_OF_TEN, POOL_OF_HUNDRED, Cause.POOL_CAP, "all 10 connections"),
        (SERVE, SAME, POOL_OF_TEN, POOL_OF_TEN, Cause.POOL_CAP, "all 10 connections"),
        (REWRITE, HURTS, AIOHTTP, HTTPX, Cause.CLIENT_CPU, "60 % of the CPU samples"),
        (SERVE, HURTS, HELLO_WSGI, HELLO_ASGI, Cause.ASGI_FIXED_COST, "1.47 ms CPU"),
        (
            REWRITE,
            HURTS,
            HELLO_WSGI,
            HELLO_ASGI.but(async_view=True),
            Cause.ASGI_FIXED_COST,
            "1.47 ms CPU",
        ),
        (
            SERVE,
            HURTS,
            MANY_THREADS,
            HELLO_ASGI.but(rps=410, unloaded_ms=53, busy=0.62),
            Cause.ASGI_FIXED_COST,
            "wait together and then use the core one after another",
        ),
        (
            SERVE,
            HURTS,
            MANY_THREADS,
            HELLO_ASGI.but(unloaded_ms=53),
            Cause.ASGI_FIXED_COST,
            "2 threads",
        ),
        (REWRITE, HURTS, MANY_THREADS, BLOCKED, Cause.BLOCKED_LOOP, "cafe/prices.py:14"),
        (SETTING, HELPS, HELLO_ASGI, RELIEVED, Cause.ASGI_FIXED_COST, "0 with relief"),
        (SETTING, HURTS, RELIEVED, HELLO_ASGI, Cause.ASGI_FIXED_COST, "with relief 0.29 ms"),
        (
            SETTING,
            HELPS,
            HELLO_ASGI,
            RELIEVED.but(cpu_ms=0.7, seen=replace(NOTHING_SEEN, threads_started=1.0)),
            Cause.ASGI_FIXED_COST,
            "2 threads are started per request under ASGI, 1 with relief",
        ),
        (SERVE, HURTS, FOUR_THREADS, BLOCKED, Cause.BLOCKED_LOOP, "50.2 ms"),
        (REWRITE, SAME, CPU, CPU_ASYNC, Cause.CPU_BOUND, "22 ms CPU"),
        (REWRITE, HELPS, FOUR_CALLS, GATHERED, Cause.OVERLAPPED_WAITS, "205 ms"),
        (REWRITE, SAME, MANY_THREADS, LOOP.but(rps=850), Cause.WAIT_BOUND, "50 at once"),
        (REWRITE, SAME, FOUR_THREADS, FOUR_THREADS, Cause.THREAD_CAP, "4 at once"),
    ],
)
def test_a_cause_is_named_when_an_observation_singles_it_out(
    question: Question, answer: Answer, a: Shown, b: Shown, cause: Cause, said: str
) -> None:
    """Every cause that was seen to decide a pair is found from what the two sides show."""
    found = why(question, answer, a, b)

    assert found.cause is cause
    assert any(said in sentence for sentence in found.evidence), found.evidence
    assert not found.missing


@pytest.mark.parametrize(
    ("question", "answer", "a", "b", "why_not"),
    [
        (SERVE, HELPS, FOUR_THREADS.but(rps=40), LOOP, "far below what 4 threads allow"),
        (SERVE, HELPS, FOUR_THREADS.but(threads=50), LOOP, "there are enough threads"),
        (
            SERVE,
            HELPS,
            FOUR_THREADS.but(seen=replace(NOTHING_SEEN, connections_held=4, pool_max=4)),
            LOOP,
            "the pool is used up with the threads",
        ),
        (
            SETTING,
            HELPS,
            POOL_OF_TEN.but(seen=replace(NOTHING_SEEN, connections_held=7, pool_max=10)),
            POOL_OF_HUNDRED,
            "three connections were free",
        ),
        (SETTING, HELPS, POOL_OF_TEN.but(seen=None), POOL_OF_HUNDRED, "nobody saw the pool"),
        (
            SETTING,
            HELPS,
            POOL_OF_TEN.but(busy=0.95),
            POOL_OF_HUNDRED,
            "the core was wanted all the time",
        ),
        (
            REWRITE,
            HURTS,
            AIOHTTP,
            HTTPX.but(seen=replace(NOTHING_SEEN, cpu_shares={"httpx": 0.3, "cafe": 0.5})),
            "the client is a minor part",
        ),
        (REWRITE, HURTS, AIOHTTP, HTTPX.but(seen=NOTHING_SEEN), "no CPU samples"),
        (
            SERVE,
            HURTS,
            MANY_THREADS,
            HELLO_ASGI.but(rps=200, unloaded_ms=53, busy=0.3),
            "far below what requests in step would give: another cap",
        ),
        (REWRITE, HURTS, AIOHTTP.but(cpu_ms=6.5), HTTPX, "the other side needs as much CPU"),
        (
            REWRITE,
            HURTS,
            HELLO_WSGI,
            HELLO_ASGI.but(
                async_view=True,
                seen=replace(
                    NOTHING_SEEN, threads_started=2.0, cpu_shares={"django": 0.6, "cafe": 0.4}
                ),
            ),
            "the views differ, and so does much of their own CPU",
        ),
        (
            SERVE,
            HURTS,
            HELLO_WSGI,
            HELLO_ASGI.but(
                seen=replace(
                    NOTHING_SEEN, threads_started=2.0, cpu_shares={"cafe": 0.6, "django": 0.4}
                )
            ),
            "the project's own code has most of the CPU",
        ),
        (
            SERVE,
            HURTS,
            HELLO_WSGI,
            HELLO_ASGI.but(
                seen=replace(NOTHING_SEEN, threads_started=0.0, cpu_shares={"django": 0.9})
            ),
            "no thread was started",
        ),
        (SERVE, HURTS, HELLO_ASGI.but(cpu_ms=0.7, rps=1400), HELLO_ASGI, "both are ASGI"),
        (
            SETTING,
            HELPS,
            HELLO_ASGI,
            RELIEVED.but(seen=HELLO_ASGI.seen),
            "relief spared no thread",
        ),
        (SETTING, HELPS, HELLO_ASGI.but(relief=True), RELIEVED, "both are relieved"),
        (SERVE, HELPS, HELLO_WSGI.but(cpu_ms=0.5, rps=1800), RELIEVED, "the slower side is WSGI"),
        (
            REWRITE,
            HURTS,
            MANY_THREADS,
            BLOCKED.but(
                seen=replace(NOTHING_SEEN, loop_held_ms=1.0, loop_cpu_ms=0.9, longest_hold_ms=1.0)
            ),
            "the loop was free: to_thread or a lock",
        ),
        (REWRITE, HURTS, MANY_THREADS, BLOCKED.but(seen=None), "nobody watched the loop"),
        (
            REWRITE,
            HURTS,
            MANY_THREADS,
            BLOCKED.but(rps=100),
            "more than one at a time went through",
        ),
        (SERVE, HELPS, FOUR_CALLS, GATHERED, "the same view does not overlap its own calls"),
        (
            REWRITE,
            HELPS,
            FOUR_CALLS.but(threads=10, rps=47),
            GATHERED,
            "slots and waits differ both",
        ),
        (REWRITE, HELPS, LOOP.but(rps=700), LOOP.but(rps=900), "same waits, same slots"),
        (REWRITE, SAME, CPU, CPU_ASYNC.but(cpu_ms=30, rps=33), "the CPU per request differs"),
        (REWRITE, SAME, MANY_THREADS, GATHERED, "a wait on one side, a core on the other"),
        (SETTING, SAME, LOOP.but(rps=100), LOOP.but(rps=100), "to_thread's hidden five"),
    ],
)
def test_a_near_miss_stays_unknown_and_says_what_is_missing(
    question: Question, answer: Answer, a: Shown, b: Shown, why_not: str
) -> None:
    """A wrong reason is worse than none: it sends the reader to mend the wrong thing."""
    found = why(question, answer, a, b)

    assert found.cause is Cause.UNKNOWN, (why_not, found)
    assert found.evidence == ()
    assert found.missing


def test_a_loop_held_by_cpu_work_is_not_called_blocked() -> None:
    """Computing on the loop is CPU; a thread or a process would not wait less for it."""
    held = replace(
        NOTHING_SEEN,
        loop_held_ms=21.5,
        loop_cpu_ms=21.0,
        longest_hold_ms=21.0,
        loop_delay_ms=400.0,
    )

    found = why(REWRITE, SAME, CPU, CPU_ASYNC.but(seen=held))

    assert found.cause is Cause.CPU_BOUND


def test_two_blocked_loops_differ_in_nothing_because_both_are_blocked() -> None:
    """A pair of equals has its cause too."""
    found = why(SETTING, SAME, BLOCKED, BLOCKED)

    assert found.cause is Cause.BLOCKED_LOOP
    assert any("side A" in sentence for sentence in found.evidence)
    assert any("side B" in sentence for sentence in found.evidence)


def test_one_request_at_a_time_shows_overlapped_waits_too() -> None:
    """Gathering shortens each response, so it gains without any concurrency."""
    found = why(
        REWRITE,
        HELPS,
        FOUR_CALLS.but(rps=4.8, concurrency=1),
        GATHERED.but(rps=18, concurrency=1, busy=0.03),
    )

    assert found.cause is Cause.OVERLAPPED_WAITS


def test_one_request_at_a_time_shows_the_fixed_cost_of_asgi() -> None:
    """At one in flight a trivial response is made of CPU alone."""
    found = why(
        SERVE,
        HURTS,
        HELLO_WSGI.but(rps=1600, unloaded_ms=0.4, concurrency=1),
        HELLO_ASGI.but(rps=520, concurrency=1),
    )

    assert found.cause is Cause.ASGI_FIXED_COST


def test_every_sentence_says_measured_or_estimated() -> None:
    """No number without its basis."""
    pairs = [
        (SERVE, HELPS, FOUR_THREADS, LOOP),
        (SETTING, HELPS, POOL_OF_TEN, POOL_OF_HUNDRED),
        (REWRITE, HURTS, AIOHTTP, HTTPX),
        (SERVE, HURTS, HELLO_WSGI, HELLO_ASGI),
        (REWRITE, HURTS, MANY_THREADS, BLOCKED),
        (REWRITE, SAME, CPU, CPU_ASYNC),
        (REWRITE, HELPS, FOUR_CALLS, GATHERED),
        (REWRITE, SAME, MANY_THREADS, LOOP.but(rps=850)),
    ]

    sentences = [sentence for case in pairs for sentence in why(*case).evidence]

    assert len(sentences) >= 2 * len(pairs)
    for sentence in sentences:
        assert "(measured)" in sentence or "(estimated)" in sentence
        assert any(sign.isdigit() for sign in sentence)


def test_an_unknown_answer_has_no_cause() -> None:
    """There is nothing to explain."""
    found = why(REWRITE, Answer.UNKNOWN, FOUR_THREADS, LOOP)

    assert found.cause is Cause.UNKNOWN
    assert found.missing


def test_a_side_that_never_answered_has_no_cause() -> None:
    """A saved run may hold such a side; it is judged without a traceback."""
    found = why(REWRITE, HURTS, FOUR_THREADS, LOOP.but(rps=0))

    assert found.cause is Cause.UNKNOWN
