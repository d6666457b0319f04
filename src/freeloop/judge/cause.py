"""Why a pair came out as it did: one cause that an observation singles out, or unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freeloop.judge.limit import Held, Limit, held, turns_bound_rps
from freeloop.model.plan import Question
from freeloop.model.verdict import Answer, Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from freeloop.model.run import Observed, SideResult

ALIKE = 1.15
NEAR = 1.25
MOST = 0.7
HALF = 0.5
MINOR = 0.3

HTTP_CLIENTS = frozenset(
    {"aiohttp", "httpcore", "httpx", "pycurl", "requests", "urllib3", "yarl", "multidict"}
)
# What httpx and httpcore run on; other packages use these too, so they count beside them only.
UNDER_HTTPX = frozenset({"anyio", "certifi", "h11", "h2", "hpack", "idna", "sniffio", "ssl"})
FRAMEWORK = frozenset(
    {
        *("django", "asgiref", "freeloop"),
        *("granian", "gunicorn", "h11", "httptools", "uvicorn", "uvloop", "websockets"),
        *("asyncio", "concurrent", "contextvars", "functools", "inspect", "queue", "selectors"),
        *("socket", "threading", "weakref"),
    }
)


@dataclass(frozen=True, slots=True)
class Found:
    """A cause with what speaks for it.

    Attributes:
        cause: UNKNOWN unless an observation excludes the others.
        evidence: The observations, one sentence each; empty when unknown.
        missing: What would single out a cause; empty when known.
    """

    cause: Cause
    evidence: tuple[str, ...] = ()
    missing: str = ""


def cause_of(
    question: Question, answer: Answer, a: SideResult, b: SideResult, *, cores: int
) -> Found:
    """Return why the answer came out, argued from the slower side.

    Args:
        question: What the pair asks.
        answer: The answer whose reason is wanted; UNKNOWN has none.
        a: Baseline.
        b: Candidate.
        cores: Cores that the servers could use.
    """
    held_a, held_b = held("A", a, cores=cores), held("B", b, cores=cores)
    if answer is Answer.UNKNOWN or held_a is None or held_b is None:
        return Found(Cause.UNKNOWN, missing="an answer with a ratio")
    if answer is Answer.NO_DIFFERENCE:
        return _why_same(held_a, held_b)
    slow, fast = (held_a, held_b) if answer is Answer.HELPS else (held_b, held_a)
    quiet = sorted((a.quiet_rps, b.quiet_rps))
    effect = quiet[1] / quiet[0] if quiet[0] > 0 else math.inf
    return _why_slower(question, slow, fast, effect=effect)


def _why_slower(question: Question, slow: Held, fast: Held, *, effect: float) -> Found:
    for capped in _CAPS:
        found = capped(slow)
        if found is not None and capped(fast) is None:
            return found
    if slow.limit in (Limit.CORE, Limit.TURNS):
        return _why_more_cpu(question, slow, fast)
    if slow.limit is Limit.WAIT:
        return _why_longer_wait(question, slow, fast, effect=effect)
    return _unseen(slow)


def _why_same(a: Held, b: Held) -> Found:
    for capped in _CAPS:
        found_a, found_b = capped(a), capped(b)
        if found_a is not None and found_b is not None:
            return Found(found_a.cause, evidence=found_a.evidence + found_b.evidence)
    if a.limit is b.limit is Limit.CORE:
        if _ratio(a.cpu_ms, b.cpu_ms) <= ALIKE:
            return Found(Cause.CPU_BOUND, evidence=(*_on_core(a), *_on_core(b)))
        return Found(Cause.UNKNOWN, missing="rounds in which the CPU per request agrees")
    if a.limit is b.limit is Limit.WAIT:
        if a.slots == b.slots and _ratio(a.unloaded_ms, b.unloaded_ms) <= ALIKE:
            cause = Cause.THREAD_CAP if _thread_capped(a) and _thread_capped(b) else None
            return Found(cause or Cause.WAIT_BOUND, evidence=(_at_wait_bound(a), _at_wait_bound(b)))
        return Found(
            Cause.UNKNOWN, missing="the same number of slots and the same response time unloaded"
        )
    return _unseen(a if a.limit in (Limit.OTHER, Limit.UNCLEAR) else b)


def _why_more_cpu(question: Question, slow: Held, fast: Held) -> Found:
    """Return why the slower side, limited by its core, needs more CPU than the other."""
    if slow.cpu_ms <= ALIKE * fast.cpu_ms:
        return Found(
            Cause.UNKNOWN,
            missing=f"side {slow.name} uses its core for {slow.cpu_ms:.3g} ms CPU per request, "
            f"side {fast.name} needs {fast.cpu_ms:.3g} ms (measured): too alike for the ratio",
        )
    if slow.observed is None or not slow.observed.cpu_shares:
        return Found(Cause.UNKNOWN, missing=f"CPU samples of an observed round of side {slow.name}")
    shares = slow.observed.cpu_shares
    clients = {name: share for name, share in shares.items() if name in HTTP_CLIENTS}
    if clients.keys() & {"httpx", "httpcore"}:
        clients |= {name: share for name, share in shares.items() if name in UNDER_HTTPX}
    client_share = sum(clients.values())
    if client_share >= HALF:
        first = max(clients, key=lambda name: clients[name])
        return Found(
            Cause.CLIENT_CPU,
            evidence=(
                *_on_core(slow),
                *_in_turns(slow),
                (
                    f"{100 * client_share:.0f} % of the CPU samples of side {slow.name} are in the "
                    f"HTTP client, most in {first} (measured)"
                ),
            ),
        )
    return _why_asgi(question, slow, fast, slow.observed)


def _why_asgi(question: Question, slow: Held, fast: Held, seen: Observed) -> Found:
    same_view = question is not Question.REWRITE or (
        slow.async_view is not None and slow.async_view == fast.async_view
    )
    other_share = sum(share for name, share in seen.cpu_shares.items() if name not in FRAMEWORK)
    relieved = fast.relief and not slow.relief
    if not slow.asgi or (fast.asgi and not relieved):
        return Found(
            Cause.UNKNOWN,
            missing=f"side {slow.name} needs {slow.cpu_ms:.3g} ms CPU per request and side "
            f"{fast.name} {fast.cpu_ms:.3g} ms (measured); no library has half of the samples",
        )
    # A rewrite changes the view too. Its own CPU cannot be the reason when all of it, with every
    # library but the framework, is a small part of what the slower side uses more.
    others_ms, more_ms = other_share * slow.cpu_ms, slow.cpu_ms - fast.cpu_ms
    if not same_view and others_ms > HALF * more_ms:
        return Found(
            Cause.UNKNOWN,
            missing="serve the same view both ways, to tell the cost of ASGI from the rewrite: "
            f"{others_ms:.2g} ms of side {slow.name} are outside Django, asgiref and the server "
            f"(estimated), {more_ms:.2g} ms are what it uses more (measured)",
        )
    left = fast.observed.threads_started if relieved and fast.observed is not None else 0.0
    starts = seen.threads_started >= 1 and seen.threads_started - left >= HALF
    if not starts or (same_view and other_share > MINOR):
        return Found(
            Cause.UNKNOWN,
            missing=f"{100 * other_share:.0f} % of the CPU samples of side {slow.name} are "
            f"outside Django, asgiref and the server, and {seen.threads_started:.2g} threads "
            f"are started per request{_spared(fast)} (measured): too little to name the cost of "
            f"ASGI",
        )
    return Found(
        Cause.ASGI_FIXED_COST,
        evidence=(
            *_in_turns(slow),
            (
                f"ASGI takes {slow.cpu_ms:.3g} ms CPU per request, "
                f"{'with relief' if relieved else 'WSGI'} {fast.cpu_ms:.3g} ms (measured)"
            ),
            (
                f"{seen.threads_started:.2g} threads are started per request under ASGI"
                f"{_spared(fast)} (measured)"
            ),
            (
                f"{100 * (1 - other_share):.0f} % of its CPU samples are in Django, asgiref and "
                f"the server (measured)"
            ),
        ),
    )


def _spared(fast: Held) -> str:
    if not fast.relief or fast.observed is None:
        return ""
    return f", {fast.observed.threads_started:.2g} with relief"


def _why_longer_wait(question: Question, slow: Held, fast: Held, *, effect: float) -> Found:
    """Return why the slower side, at the bound of its waits, has fewer slots or longer waits."""
    by_slots = math.log(fast.slots / slow.slots)
    by_wait = math.log(slow.unloaded_ms / fast.unloaded_ms)
    gain = max(0.0, by_slots) + max(0.0, by_wait)
    # The faster side may meet its core before the whole gain is there; more gain than slots
    # and waits allow has another reason.
    if gain <= 0 or math.log(effect) > gain + math.log(NEAR):
        return Found(
            Cause.UNKNOWN,
            missing=f"side {slow.name} is at the bound of its waits, but neither slots nor "
            f"response times explain a ratio of {effect:.3g}",
        )
    if by_slots >= MOST * gain and _thread_capped(slow):
        if slow.observed is not None and _pool_is_out(slow.observed):
            return Found(
                Cause.UNKNOWN,
                missing=f"a larger pool than {slow.observed.pool_max} connections: threads and "
                f"pool of side {slow.name} are used up together (measured)",
            )
        return Found(
            Cause.THREAD_CAP,
            evidence=(
                _at_wait_bound(slow),
                (
                    f"{slow.concurrency} requests are in flight, side {fast.name} has room for "
                    f"{fast.slots} of them (measured)"
                ),
            ),
        )
    shorter = slow.wait_ms >= 1.1 * fast.wait_ms
    if by_wait >= MOST * gain and shorter and question is Question.REWRITE:
        return Found(
            Cause.OVERLAPPED_WAITS,
            evidence=(
                (
                    f"one request alone takes {slow.unloaded_ms:.3g} ms on side {slow.name} and "
                    f"{fast.unloaded_ms:.3g} ms on side {fast.name} (measured)"
                ),
                _at_wait_bound(slow),
            ),
        )
    if by_wait >= MOST * gain:
        return Found(
            Cause.UNKNOWN,
            missing=f"what makes the same view wait {slow.wait_ms:.3g} ms on side {slow.name} "
            f"and {fast.wait_ms:.3g} ms on side {fast.name} (measured)",
        )
    return Found(
        Cause.UNKNOWN, missing="the same number of threads on both sides: slots and waits differ"
    )


def _blocked_loop(side: Held) -> Found | None:
    """Return the cause when one request at a time goes through the whole event loop."""
    seen = side.observed
    if not side.asgi or seen is None or side.concurrency < 3 * side.workers or not side.idle:
        return None
    one_rps = side.workers * 1000 / side.unloaded_ms
    longest_ms = max(seen.longest_hold_ms or 0.0, seen.loop_delay_ms or 0.0)
    waits = seen.loop_held_ms is not None and (seen.loop_cpu_ms or 0.0) <= HALF * seen.loop_held_ms
    if side.rate_rps > NEAR * one_rps or longest_ms < HALF * side.unloaded_ms or not waits:
        return None
    where = f" at {seen.blocked_at}" if seen.blocked_at else ""
    return Found(
        Cause.BLOCKED_LOOP,
        evidence=(
            (
                f"the event loop of side {side.name} is held up to {longest_ms:.3g} ms{where} "
                f"(measured)"
            ),
            (
                f"{side.rate_rps:.3g} requests/s at {side.concurrency} in flight (measured): "
                f"one after another gives {one_rps:.3g} (estimated)"
            ),
            f"the core is used {100 * side.busy:.0f} % of the time (measured)",
        ),
    )


def _pool_capped(side: Held) -> Found | None:
    """Return the cause when all connections of the database pool are out, and nothing else is."""
    seen = side.observed
    if seen is None or not _pool_is_out(seen) or side.limit is not Limit.OTHER:
        return None
    if seen.pool_max is None or seen.pool_max >= side.slots:
        return None
    return Found(
        Cause.POOL_CAP,
        evidence=(
            (
                f"side {side.name} has all {seen.pool_max} connections of its pool out with "
                f"{side.slots} requests in hand (measured)"
            ),
            (
                f"{side.rate_rps:.3g} requests/s (measured), its waits alone would allow "
                f"{side.wait_bound_rps:.3g} (estimated); the core is used "
                f"{100 * side.busy:.0f} % of the time (measured)"
            ),
        ),
    )


def _pool_is_out(seen: Observed) -> bool:
    return seen.pool_max is not None and seen.connections_held >= seen.pool_max


_CAPS: tuple[Callable[[Held], Found | None], ...] = (_blocked_loop, _pool_capped)


def _thread_capped(side: Held) -> bool:
    limited = side.thread_limit is not None and side.thread_limit < side.concurrency
    return limited and side.limit is Limit.WAIT


def _unseen(side: Held) -> Found:
    if side.observed is None:
        return Found(Cause.UNKNOWN, missing=f"an observed round of side {side.name}")
    if side.limit is Limit.UNCLEAR:
        return Found(
            Cause.UNKNOWN,
            missing=f"side {side.name} is near the bound of its core and of its waits at once; "
            f"a higher concurrency would part them",
        )
    return Found(
        Cause.UNKNOWN,
        missing=f"side {side.name} does {side.rate_rps:.3g} requests/s with the core used "
        f"{100 * side.busy:.0f} % (measured), and its waits would allow "
        f"{side.wait_bound_rps:.3g} (estimated): a cap that freeloop does not see",
    )


def _at_wait_bound(side: Held) -> str:
    return (
        f"side {side.name} does {side.rate_rps:.3g} requests/s (measured); {side.slots} at once, "
        f"{side.unloaded_ms:.3g} ms each, allow {side.wait_bound_rps:.3g} (estimated)"
    )


def _on_core(side: Held) -> tuple[str, str]:
    return (
        f"side {side.name} uses {side.cpu_ms:.3g} ms CPU per request (measured)",
        f"side {side.name} runs or waits for a core {100 * side.busy:.0f} % of the time (measured)",
    )


def _in_turns(side: Held) -> tuple[str, ...]:
    """Say why a core that rests is the limit all the same; nothing when it does not rest."""
    if side.limit is not Limit.TURNS:
        return ()
    bound_rps = turns_bound_rps(side.slots, cpu_ms=side.cpu_ms, unloaded_ms=side.unloaded_ms)
    said = (
        f"side {side.name} does {side.rate_rps:.3g} requests/s (measured): {side.slots} requests "
        f"that wait together and then use the core one after another give {bound_rps:.3g} "
        f"(estimated)"
    )
    return (said,)


def _ratio(one: float, other: float) -> float:
    low, high = sorted((one, other))
    return high / low if low > 0 else math.inf
