"""Networks to forecasts: throughput, mean latency, knee and bottleneck at any concurrency."""

from __future__ import annotations

import math
from dataclasses import replace

from freeloop.judge.closed_network import Station, throughputs, upper_bound
from freeloop.judge.verdict import answer_of
from freeloop.model.prediction import (
    Bottleneck,
    Burst,
    Cost,
    Forecast,
    Growth,
    Network,
    Predicted,
)
from freeloop.model.verdict import Answer, Basis, Interval, Verdict

# Bursts reach this far: up to here costs are interpolated, beyond they are extrapolated.
HIGHEST_BURST = 32

# An interval of a prediction is meant to hold the measured rate in nine of ten cells;
# benchmarks/prediction.py counts.
LEVEL = 0.9
_SPREAD = 1.645

# Requests that always wait the same do more than those that wait at random: in the simulation of
# tests/judge up to 12 % more, just below the knee.
ORDER_OF_SERVICE = 0.12

# The unloaded latency, from one burst.
WAIT_DOUBT = 0.05

# What is used for more of its time than this makes others queue ...
USED_UP = 0.85
# ... and so does what rests in between, when requests take this much longer than one alone.
QUEUES = 1.3


def predicted(
    name: str,
    network: Network,
    concurrency: tuple[int, ...],
    *,
    growth: Growth | None = None,
    measured: tuple[Burst, ...] = (),
) -> Predicted:
    """Return all that is predicted of one deployment."""
    return Predicted(
        name=name,
        network=network,
        forecasts=tuple(forecast(network, number, growth) for number in concurrency),
        curve=curve(network, max(concurrency), growth),
        knee=knee(network),
        measured=measured,
        growth=growth,
    )


def cost_ms(cost: Cost, in_flight: float) -> float:
    """Return the CPU of one request with so many in flight, the middle of `cost_range_ms`.

    Between the bursts along the logarithm of their number. Beyond them it stays as it was at 32:
    a cost that grew by more than chance has no number there, and what chance alone makes is as
    often a fall. Whoever carried on the rises only would predict too low on the whole.
    """
    if in_flight <= 1:
        found = cost.alone_ms
    elif in_flight <= 8:
        found = _between(cost.alone_ms, cost.at_8_ms, math.log(in_flight) / math.log(8))
    elif in_flight <= HIGHEST_BURST:
        found = _between(cost.at_8_ms, cost.at_32_ms, math.log(in_flight / 8) / math.log(4))
    else:
        found = cost.at_32_ms
    return max(0.0, found + cost.added_ms)


def cost_range_ms(cost: Cost, in_flight: float) -> tuple[float, float]:
    """Return the lowest and the highest CPU that the bursts allow.

    Beyond the bursts between no further growth and growth in a straight line: three points do not
    tell which.
    """
    low = high = cost_ms(cost, in_flight)
    if in_flight > HIGHEST_BURST:
        slope = max(0.0, cost.at_32_ms - cost.at_8_ms) / (HIGHEST_BURST - 8)
        high += slope * (in_flight - HIGHEST_BURST)
    spread = math.exp(_SPREAD * cost.doubt)
    return low / spread, high * spread


def rate_at(network: Network, concurrency: int) -> float:
    """Return requests per second at a concurrency."""
    return 1000 * _rate(network, concurrency, cost_ms(network.cost, inside(network, concurrency)))


def rates_apart_and_in_step(
    network: Network, concurrency: int, cpu_ms: float
) -> tuple[float, float]:
    """Return requests per millisecond if each goes its own way, and if all go in step.

    In step all wait together and then compute one after another: the last one's turn comes when
    all others have had theirs, as in `judge.limit.turns_bound_rps`.
    """
    delay_ms, stations = _stations(network, cpu_ms)
    taken_in = inside(network, concurrency)
    apart = throughputs(stations, delay_ms=delay_ms, customers=taken_in)[taken_in]
    alone_ms = delay_ms + sum(each.service_ms for each in stations)
    turns_ms = alone_ms + (taken_in - 1) * (cpu_ms / network.cores + network.blocked_ms)
    return apart, min(apart, taken_in / turns_ms) if turns_ms > 0 else apart


def inside(network: Network, concurrency: int) -> int:
    """Return how many of the requests the server has taken in; the others wait before it."""
    return concurrency if network.front is None else min(concurrency, network.front)


def forecast(network: Network, concurrency: int, growth: Growth | None = None) -> Forecast:
    """Return what a deployment does at a concurrency.

    Where the cost of a request grows with their number, there is a number only as far as the
    bursts reach.
    """
    taken_in = inside(network, concurrency)
    rate_rps = rate_at(network, concurrency)
    bottleneck = _bottleneck(network, concurrency, rate_rps / 1000)
    if growth is not None and taken_in > HIGHEST_BURST:
        return Forecast(concurrency, None, 0.0, math.inf, bottleneck)
    low_ms, high_ms = cost_range_ms(network.cost, taken_in)
    slow = replace(
        network,
        wait_ms=network.wait_ms * (1 + WAIT_DOUBT),
        limits=tuple(
            replace(each, held_ms=each.held_ms * (1 + WAIT_DOUBT)) for each in network.limits
        ),
    )
    slow = replace(slow, in_step=min(1.0, network.in_step + network.in_step_doubt))
    low_rps = 1000 * _rate(slow, concurrency, high_ms)
    quick = replace(
        network,
        wait_ms=network.wait_ms * (1 - WAIT_DOUBT),
        in_step=max(0.0, network.in_step - network.in_step_doubt),
    )
    delay_ms, stations = _stations(quick, low_ms)
    bound_rps = 1000 * upper_bound(stations, delay_ms=delay_ms, customers=taken_in)
    solved_rps = 1000 * _rate(quick, concurrency, low_ms)
    high_rps = min(bound_rps, (1 + ORDER_OF_SERVICE) * solved_rps)
    return Forecast(
        concurrency, rate_rps, min(low_rps, rate_rps), max(high_rps, rate_rps), bottleneck
    )


def knee(network: Network) -> float | None:
    """Return the requests in flight from which on they queue; None where they never do.

    Source:
        Where the two asymptotic bounds meet: the time of one request alone over the share of it
        that the busiest station needs for itself. Threads of the server end it earlier.
    """
    cpu_ms = cost_ms(network.cost, min(inside(network, HIGHEST_BURST), HIGHEST_BURST))
    delay_ms, stations = _stations(network, cpu_ms)
    slowest_ms = max((each.service_ms / each.servers for each in stations), default=0.0)
    alone_ms = delay_ms + sum(each.service_ms for each in stations)
    found = alone_ms / slowest_ms if slowest_ms > 0 else None
    if network.front is None:
        return found
    return float(network.front) if found is None else min(found, float(network.front))


def judged(a: Forecast, b: Forecast) -> Verdict:
    """Return the verdict on two forecasts at one concurrency, B against A, basis predicted."""
    if a.rate_rps is None or b.rate_rps is None:
        sides = " and ".join(name for name, side in (("A", a), ("B", b)) if side.rate_rps is None)
        missing = f"no number for {sides}: measure it with freeloop bench"
        return Verdict(Answer.UNKNOWN, None, Basis.PREDICTED, missing=missing)
    ratio = b.rate_rps / a.rate_rps
    # The doubts of two bursts are apart: their squares add up, not they themselves.
    down = math.hypot(math.log(b.rate_rps / b.low_rps), math.log(a.high_rps / a.rate_rps))
    up = math.hypot(math.log(b.high_rps / b.rate_rps), math.log(a.rate_rps / a.low_rps))
    effect = Interval(ratio, ratio * math.exp(-down), ratio * math.exp(up), LEVEL)
    answer = answer_of(effect)
    missing = "measure it with freeloop bench" if answer is Answer.UNKNOWN else ""
    return Verdict(answer, effect, Basis.PREDICTED, missing=missing)


def curve(network: Network, highest: int, growth: Growth | None = None) -> tuple[Forecast, ...]:
    """Return forecasts from 1 to the highest concurrency, evenly by its logarithm."""
    steps = 16
    points = {round(highest ** (step / steps)) for step in range(steps + 1)}
    return tuple(forecast(network, number, growth) for number in sorted(points | {1, highest}))


def _between(first: float, second: float, share: float) -> float:
    return first + (second - first) * share


def _rate(network: Network, concurrency: int, cpu_ms: float) -> float:
    apart, together = rates_apart_and_in_step(network, concurrency, cpu_ms)
    if network.in_step == 0 or not math.isfinite(apart):
        return apart
    return math.exp((1 - network.in_step) * math.log(apart) + network.in_step * math.log(together))


def _stations(network: Network, cpu_ms: float) -> tuple[float, list[Station]]:
    """Return what nobody queues for, and the stations: core and loop first, then the limits.

    With one worker the loop that is blocked and the core that computes exclude one another: they
    are one station. With several each worker blocks its own.
    """
    if network.workers == 1:
        stations = [Station(cpu_ms + network.blocked_ms)]
    else:
        stations = [
            Station(cpu_ms, network.cores),
            Station(network.blocked_ms, network.workers),
        ]
    stations += [Station(each.held_ms, each.slots) for each in network.limits]
    limited_ms = sum(each.held_ms for each in network.limits)
    return max(0.0, network.wait_ms - limited_ms), [each for each in stations if each.service_ms]


def _bottleneck(network: Network, concurrency: int, rate_per_ms: float) -> Bottleneck:
    cpu_ms = cost_ms(network.cost, inside(network, concurrency))
    core, loop = cpu_ms / network.cores, network.blocked_ms / network.workers
    if network.workers == 1:
        held = core + loop
        uses = [(rate_per_ms * held, Bottleneck.LOOP if loop > core else Bottleneck.CORE)]
    else:
        uses = [(rate_per_ms * core, Bottleneck.CORE), (rate_per_ms * loop, Bottleneck.LOOP)]
    uses += [
        (rate_per_ms * each.held_ms / each.slots, Bottleneck(each.kind.value))
        for each in network.limits
    ]
    used, most = max(uses, key=lambda use: use[0])
    delay_ms, stations = _stations(network, cpu_ms)
    alone_ms = delay_ms + sum(each.service_ms for each in stations)
    longer = inside(network, concurrency) > QUEUES * alone_ms * rate_per_ms
    if used >= USED_UP or longer:
        return most
    return Bottleneck.THREADS if inside(network, concurrency) < concurrency else Bottleneck.NONE
