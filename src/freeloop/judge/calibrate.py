"""Bursts to a network: CPU by how many are in flight, wait, blocking, and caps nobody named."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from freeloop.judge.predict import rate_at, rates_apart_and_in_step
from freeloop.judge.request_structure import Structure
from freeloop.model.prediction import (
    Burst,
    Calibration,
    CallCost,
    Cost,
    Growth,
    Limit,
    LimitKind,
    Network,
)

LEVELS = (1, 8, 32)

# A cost that grows faster is a library's, and three points do not tell how it goes on: early
# measurements of such views were 2 to 10 times off, whichever fit was used.
GROWS = 1.35

# A library's growth that adds less than this share to a request cannot lead far astray.
MATTERS = 0.05

# Standard deviation of the logarithm of CPU per request over rounds of 0.7 s of one server: 0.06 to
# 0.17 in the eight sides of benchmarks/results/aa_rounds.json.
CPU_DOUBT = 0.12

# A burst was disturbed when others had more of the core time that the server wanted. On a core that
# nobody else wants it is up to a tenth, from how often it is looked at.
DISTURBED = 0.2

# What the share that others had adds to the doubt: a request that shares its core with strangers
# finds its caches cold, and took 10 to 50 % more CPU when they had two thirds.
SHARED_DOUBT = 0.4

# Below this ratio of the two rates at 32 nobody can tell from a burst whether requests go in step.
TELLS = math.log(1.15)
IN_STEP_DOUBT = 0.3

# The cores rested, and still the burst stayed this far below what the network allows.
RESTED = 0.7
HELD_BACK = 0.7


def taken_share(calibration: Calibration) -> float:
    """Return which share of the core time that the server wanted other programs had, 0 to 1.

    Over all bursts: in one alone the server is looked at too seldom. How much the others computed
    does not tell, since the kernel may let them only while the server waits.
    """
    bursts, cores = calibration.bursts, _usable_cores(calibration)
    had_ms = sum(each.completed * each.cpu_ms for each in bursts)
    wanted_ms = sum(each.completed * _wanted_ms(each, cores) for each in bursts)
    return 1 - had_ms / wanted_ms if wanted_ms > 0 else 0.0


def _usable_cores(calibration: Calibration) -> int:
    return min(calibration.cores, calibration.arm.workers)


def _wanted_ms(burst: Burst, cores: int) -> float:
    """Return how long a request was on a core or ready for one."""
    if burst.rate_rps <= 0:
        return burst.cpu_ms
    return max(burst.cpu_ms, burst.busy * cores * 1000 / burst.rate_rps)


def growth(calibration: Calibration) -> Growth | None:
    """Return how the cost grows where it grows too fast for a number; else None."""
    at_8, at_32 = calibration.bursts[1], calibration.bursts[2]
    if at_8.cpu_ms <= 0 or at_32.cpu_ms <= GROWS * at_8.cpu_ms:
        return None
    grown = {
        library: after - before for library, (before, after) in calibration.cpu_by_library.items()
    }
    worst = max(grown, key=grown.__getitem__, default="")
    named = worst if worst and grown[worst] > 0 else ""
    return Growth(ratio=at_32.cpu_ms / at_8.cpu_ms, library=named)


def library_growth(
    calibration: Calibration, structure: Structure, calls: Mapping[str, CallCost]
) -> Growth | None:
    """Return the client whose own cost grows too fast for a number; None where none does.

    The bursts alone may hide it: the rest of a request gets cheaper from 8 to 32 in flight, while
    the client gets dearer, and goes on doing so.

    Args:
        calibration: Of one deployment.
        structure: Of the request: which libraries it calls, and how often.
        calls: CPU of a call by client, measured apart.
    """
    made = Counter(call.library for call in structure.calls if call.library)
    for library, times in made.items():
        kind = f"{library}.{'AsyncClient' if structure.async_view else 'Client'}"
        cost = calls.get(kind) or calls.get(library)
        if cost is None or cost.at_32_ms <= GROWS * cost.at_8_ms:
            continue
        if times * (cost.at_32_ms - cost.at_8_ms) > MATTERS * calibration.bursts[1].cpu_ms:
            return Growth(cost.at_32_ms / cost.at_8_ms, library, of_call=True)
    return None


def network_of(calibration: Calibration, structure: Structure, *, asgi: bool) -> Network:
    """Return the network that the bursts and the structure of the request make.

    Args:
        calibration: Of one deployment.
        structure: Of the same request, from its trace.
        asgi: Whether an ASGI server answered: there a waiting call of an async view holds the
            loop, under WSGI it only holds its thread.
    """
    alone, at_8, at_32 = calibration.bursts
    doubt = math.hypot(CPU_DOUBT, SHARED_DOUBT * taken_share(calibration))
    blocked_ms = structure.blocked_ms if asgi else 0.0
    wait_ms = max(0.0, alone.latency_ms - _on_core_ms(alone) - blocked_ms)
    network = Network(
        cost=Cost(alone.cpu_ms, at_8.cpu_ms, at_32.cpu_ms, doubt=doubt),
        wait_ms=wait_ms,
        blocked_ms=blocked_ms,
        front=calibration.thread_limit,
        limits=_fitting(structure.limits(asgi=asgi), wait_ms),
        cores=_usable_cores(calibration),
        workers=calibration.arm.workers,
    )
    return _with_unseen(_stepping(network, at_32), at_32)


def _on_core_ms(alone: Burst) -> float:
    """Return how long a request alone was on a core or ready for one.

    On a busy machine it waits for its core too; that is no wait of the request.
    """
    return alone.cpu_ms + (alone.queue_ms or 0.0)


def _stepping(network: Network, burst: Burst) -> Network:
    """Return the network with how far its requests go in step, as the burst at 32 shows.

    Waiting for a core that strangers took would look the same, so it counts as time on the core.
    """
    on_core_ms = _wanted_ms(burst, network.cores)
    apart, together = rates_apart_and_in_step(network, burst.concurrency, on_core_ms)
    room = math.log(apart / together)
    if room < TELLS:
        return replace(network, in_step=0.5, in_step_doubt=0.5)
    share = math.log(1000 * apart / burst.rate_rps) / room
    return replace(network, in_step=min(1.0, max(0.0, share)), in_step_doubt=IN_STEP_DOUBT)


def _fitting(limits: tuple[Limit, ...], wait_ms: float) -> tuple[Limit, ...]:
    """Return the limits, none held longer than the request waits."""
    return tuple(replace(each, held_ms=min(each.held_ms, wait_ms)) for each in limits)


def _with_unseen(network: Network, burst: Burst) -> Network:
    """Return the network with a limit that explains a burst that was held back, if one was."""
    if burst.completed == 0 or burst.busy > RESTED or network.wait_ms <= 0:
        return network
    if burst.rate_rps >= HELD_BACK * rate_at(network, burst.concurrency):
        return network
    slots = max(1, round(burst.rate_rps * network.wait_ms / 1000))
    held_ms = min(network.wait_ms, 1000 * slots / burst.rate_rps)
    unseen = Limit(LimitKind.UNSEEN, slots, held_ms)
    return replace(network, limits=(*network.limits, unseen))
