"""A closed network solved exactly: so many requests go round between cores, limits and waits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Station:
    """Where requests are served, and queue when all servers are taken.

    Attributes:
        service_ms: How long one request occupies a server, in all its visits.
        servers: How many are served at once.
    """

    service_ms: float
    servers: int = 1


def throughputs(stations: Sequence[Station], *, delay_ms: float, customers: int) -> list[float]:
    """Return requests per millisecond with 0, 1, ... `customers` requests in the network.

    Args:
        stations: Where requests may queue.
        delay_ms: What a request spends where nobody queues.
        customers: Requests in flight.

    Returns:
        One rate for each number from 0; infinite where a request takes no time at all.

    Source:
        The product form that exact mean value analysis solves (Reiser and Lavenberg 1980), by
        convolution (Buzen 1973): with several servers the recursion of mean values subtracts
        nearly equal numbers, the convolution only adds. In logarithms, because 500 requests that
        wait 1 s are 10 to the power of 366. tests/judge/test_closed_network.py compares it with
        the recursion, where that is safe, and with a simulation.
    """
    logs = _delay(delay_ms, customers)
    for station in stations:
        if station.service_ms > 0:
            logs = _with_station(logs, station)
    rates = [0.0]
    for before, here in itertools.pairwise(logs):
        rates.append(math.exp(before - here) if here != _NEVER else math.inf)
    return rates


def upper_bound(stations: Sequence[Station], *, delay_ms: float, customers: int) -> float:
    """Return the most requests per millisecond that any order of service allows.

    Source:
        Asymptotic bounds (Denning and Buzen 1978): no request is faster than one alone, no
        station serves more than its servers can.
    """
    alone_ms = delay_ms + sum(station.service_ms for station in stations)
    rates = [customers / alone_ms] if alone_ms > 0 else [math.inf]
    rates += [each.servers / each.service_ms for each in stations if each.service_ms > 0]
    return min(rates)


def _delay(delay_ms: float, customers: int) -> list[float]:
    if delay_ms <= 0:
        return [0.0, *[_NEVER] * customers]
    return [n * math.log(delay_ms) - math.lgamma(n + 1) for n in range(customers + 1)]


def _with_station(logs: list[float], station: Station) -> list[float]:
    step = math.log(station.service_ms)
    if station.servers == 1:
        joined = [logs[0]]
        for log in logs[1:]:
            joined.append(_sum((log, joined[-1] + step)))
        return joined
    own = [0.0]
    for number in range(1, len(logs)):
        own.append(own[-1] + step - math.log(min(number, station.servers)))
    return [
        _sum([own[inside] + logs[total - inside] for inside in range(total + 1)])
        for total in range(len(logs))
    ]


def _sum(logs: Sequence[float]) -> float:
    """Return the logarithm of a sum, from the logarithms of what is added."""
    most = max(logs)
    if most == _NEVER:
        return _NEVER
    return most + math.log(math.fsum(math.exp(each - most) for each in logs))
