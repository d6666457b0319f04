"""What-ifs: a view or a setting changed in thought, as a pure change of its network."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from freeloop.judge.calibrate import GROWS
from freeloop.judge.request_structure import LEAST_MS, Structure, WaitingCall
from freeloop.model.prediction import CallCost, Growth, Limit, LimitKind, Network
from freeloop.model.trace import MarkKind

type Verb = Literal["awaited", "gathered", "offloaded", "relief", "pool", "connections", "threads"]
VERBS: tuple[Verb, ...] = (
    "awaited",
    "gathered",
    "offloaded",
    "relief",
    "pool",
    "connections",
    "threads",
)

# What stands in for a client that waits with its thread; the first that is installed.
ASYNC_CLIENTS = ("aiohttp", "httpx.AsyncClient")
SYNC_CLIENTS = {
    "requests": "requests",
    "urllib3": "requests",
    "urllib": "requests",
    "http.client": "requests",
    "httpx": "httpx.Client",
}

# What a change adds to the doubt about the cost: the one of another library, and code not written.
CHANGE_DOUBT = 0.15

# A blocked loop serves one request at a time, and a request alone costs up to twice the CPU of one
# in a busy server: after the change it costs what lies between, the square root of two less.
ALONE_FACTOR = math.sqrt(0.5)
ALONE_DOUBT = 0.21


@dataclass(frozen=True, slots=True)
class Known:
    """What changes are computed from, beside the network.

    Attributes:
        structure: Of the request, from its trace.
        calls: CPU of a call by "aiohttp", "httpx.AsyncClient", "httpx.Client", "requests", "hop"
            (`sync_to_async`), "task"; absent means not measured.
        relieved: Network with relief; None when that was not measured.
        plain: Network without it, of the same view.
        relieved_growth: Why there is no number with relief; None where there is.
    """

    structure: Structure
    calls: Mapping[str, CallCost]
    relieved: Network | None = None
    plain: Network | None = None
    relieved_growth: Growth | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a what-if.

    Attributes:
        verb: What is done.
        value: Of `pool`, `connections` and `threads`; else 0.
        only: Part of the text or place of the calls that it is done to; "" for all.
    """

    verb: Verb
    value: int = 0
    only: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A network after a change.

    Attributes:
        network: The new one, or the old one where nothing changes.
        remarks: What was assumed, or why nothing changes.
        growth: Of the library that came in, where its cost grows too fast for a number.
        replaced: Libraries that went out with all their calls.
    """

    network: Network
    remarks: tuple[str, ...] = ()
    growth: Growth | None = None
    replaced: frozenset[str] = frozenset()


def changed(network: Network, change: Change, known: Known) -> Changed:
    """Return the network as it would be."""
    match change.verb:
        case "awaited":
            return _awaited(network, change.only, known)
        case "gathered":
            return _gathered(network, change.only, known)
        case "offloaded":
            return _offloaded(network, change.only, known)
        case "relief":
            return _relieved(network, known)
        case "pool":
            return _pooled(network, change.value, known)
        case "connections":
            return _connected(network, change.value, known)
        case "threads":
            return _threaded(network, change.value)


def _awaited(network: Network, only: str, known: Known) -> Changed:
    """The calls no longer hold the loop; their clients are replaced by asynchronous ones."""
    calls = [
        call
        for call in _matching(known.structure, only)
        if call.blocked_ms >= LEAST_MS or _is_sync_client(call, known.structure)
    ]
    if not calls:
        return Changed(network, ("no gain: no call that this names waits with its thread",))
    freed_ms = min(network.blocked_ms, sum(call.blocked_ms for call in calls))
    moved = replace(
        _unblocked(network, freed_ms),
        blocked_ms=network.blocked_ms - freed_ms,
        wait_ms=network.wait_ms + freed_ms,
    )
    remarks = []
    if freed_ms < LEAST_MS:
        remarks.append("a sync view holds no event loop: its calls awaited free its thread alone")
    return _with_clients(moved, calls, known, remarks)


def _unblocked(network: Network, freed_ms: float) -> Network:
    """Return the network with the cost that its requests have once they no longer go one by one."""
    cost = network.cost
    if freed_ms <= cost.at_8_ms:
        return network
    busy = replace(
        cost,
        at_8_ms=cost.at_8_ms * ALONE_FACTOR,
        at_32_ms=cost.at_32_ms * ALONE_FACTOR,
        doubt=math.hypot(cost.doubt, ALONE_DOUBT),
    )
    return replace(network, cost=busy)


def _with_clients(
    network: Network, calls: list[WaitingCall], known: Known, remarks: list[str]
) -> Changed:
    """Replace what the calls cost: D' = D - k d(old) + k d(new)."""
    new = next((name for name in ASYNC_CLIENTS if name in known.calls), "")
    added_ms = 0.0
    grown: Growth | None = None
    doubt = 0.0
    outbound = [call for call in calls if call.kind is MarkKind.OUTBOUND]
    queries = [call for call in calls if call.kind is MarkKind.QUERY]
    for call in outbound:
        old = SYNC_CLIENTS.get(call.library, "")
        if not new or old not in known.calls:
            doubt = max(doubt, 2 * CHANGE_DOUBT)
            continue
        cost = known.calls[new]
        added_ms += cost.at_8_ms - known.calls[old].at_8_ms
        doubt = max(doubt, CHANGE_DOUBT)
        if cost.at_32_ms > GROWS * cost.at_8_ms:
            grown = Growth(cost.at_32_ms / cost.at_8_ms, new.partition(".")[0], of_call=True)
    if outbound:
        remarks.append(
            f"{len(outbound)} calls with {new} instead: {added_ms:+.2f} ms CPU, measured apart"
            if new and doubt <= CHANGE_DOUBT
            else f"{len(outbound)} calls with another client, whose cost is not known"
        )
    if queries and "hop" in known.calls:
        hops_ms = len(queries) * known.calls["hop"].at_8_ms
        added_ms += hops_ms
        remarks.append(f"{len(queries)} queries awaited: a thread hop each, {hops_ms:+.2f} ms CPU")
    made = {id(call) for call in calls}
    left = {call.library for call in known.structure.calls if id(call) not in made}
    replaced = frozenset(call.library for call in outbound) - left
    return Changed(_costing(network, added_ms, doubt), tuple(remarks), grown, replaced)


def _gathered(network: Network, only: str, known: Known) -> Changed:
    """The independent waits of one function last as long as the longest of them."""
    structure = known.structure
    if structure.async_view is False:
        return _awaited_and_gathered(network, only, known)
    serial = [each for each in structure.serial if only in each.function]
    saved_ms = sum(each.saving_ms for each in serial)
    if saved_ms < LEAST_MS:
        return Changed(network, (_no_gain(structure),))
    tasks = sum(each.count for each in serial)
    return _saving(network, saved_ms, tasks, known, ())


def _awaited_and_gathered(network: Network, only: str, known: Known) -> Changed:
    """A sync view has to become async before its calls can be gathered."""
    groups: dict[int, list[WaitingCall]] = defaultdict(list)
    for call in _matching(known.structure, only):
        if call.kind in {MarkKind.OUTBOUND, MarkKind.SLEEP}:
            groups[call.lane].append(call)
    calls = max(groups.values(), key=lambda group: sum(call.ms for call in group), default=[])
    if len(calls) < 2:
        return Changed(network, (_no_gain(known.structure),))
    saved_ms = sum(call.ms for call in calls) - max(call.ms for call in calls)
    awaited = _with_clients(network, calls, known, ["the view made async, its calls awaited"])
    gathered = _saving(awaited.network, saved_ms, len(calls), known, awaited.remarks)
    return replace(gathered, growth=awaited.growth, replaced=awaited.replaced)


def _saving(
    network: Network, saved_ms: float, tasks: int, known: Known, remarks: tuple[str, ...]
) -> Changed:
    saved_ms = min(saved_ms, network.wait_ms)
    waiting = replace(network, wait_ms=network.wait_ms - saved_ms)
    added_ms = tasks * known.calls["task"].at_8_ms if "task" in known.calls else 0.0
    said = f"{tasks} waits at once: {saved_ms:.3g} ms less, if they do not need each other"
    return Changed(_costing(waiting, added_ms, CHANGE_DOUBT), (*remarks, said))


def _no_gain(structure: Structure) -> str:
    queries = sum(call.kind is MarkKind.QUERY for call in structure.calls)
    if queries > 1 or structure.queued_on_thread:
        return "no gain: Django runs all queries of a request on one thread, gathered or not"
    return "no gain: nothing waits one after another that may be independent"


def _offloaded(network: Network, only: str, known: Known) -> Changed:
    """The calls leave the loop for `asyncio.to_thread`, whose threads are few."""
    calls = [call for call in _matching(known.structure, only) if call.blocked_ms >= LEAST_MS]
    if not calls:
        return Changed(
            network,
            (
                (
                    "no gain: no call that this names holds the loop waiting; what computes needs "
                    "the interpreter lock in a thread too"
                ),
            ),
        )
    moved_ms = min(network.blocked_ms, sum(call.blocked_ms for call in calls))
    inside = [each for each in network.limits if each.kind is LimitKind.EXECUTOR]
    others = [each for each in network.limits if each.kind is not LimitKind.EXECUTOR]
    held_ms = moved_ms + sum(each.held_ms for each in inside)
    slots = known.structure.executor_slots
    offloaded = replace(
        _unblocked(network, moved_ms),
        blocked_ms=network.blocked_ms - moved_ms,
        wait_ms=network.wait_ms + moved_ms,
        limits=(*others, Limit(LimitKind.EXECUTOR, slots, held_ms)),
    )
    added_ms = len(calls) * known.calls["hop"].at_8_ms if "hop" in known.calls else 0.0
    remark = f"asyncio.to_thread has {slots} threads here: {1000 * slots / held_ms:.3g}/s at most"
    return Changed(_costing(offloaded, added_ms, CHANGE_DOUBT), (remark,))


def _relieved(network: Network, known: Known) -> Changed:
    """The costs are those of the bursts with relief, plus what other changes added.

    So is how far requests go in step, and what held a burst back: Django's hops make the one, and
    a burst without relief tells nothing of the other.
    """
    if known.relieved is None or known.plain is None:
        return Changed(network, ("relief was not measured: it wants an ASGI server",))
    cost, with_relief, plain = network.cost, known.relieved.cost, known.plain.cost
    relieved = replace(
        cost,
        alone_ms=max(0.0, cost.alone_ms + with_relief.alone_ms - plain.alone_ms),
        at_8_ms=max(0.0, cost.at_8_ms + with_relief.at_8_ms - plain.at_8_ms),
        at_32_ms=max(0.0, cost.at_32_ms + with_relief.at_32_ms - plain.at_32_ms),
    )
    limits = (
        *(each for each in network.limits if each.kind is not LimitKind.UNSEEN),
        *(each for each in known.relieved.limits if each.kind is LimitKind.UNSEEN),
    )
    return Changed(
        replace(
            network,
            cost=relieved,
            limits=limits,
            in_step=known.relieved.in_step,
            in_step_doubt=known.relieved.in_step_doubt,
        )
    )


def _pooled(network: Network, size: int, known: Known) -> Changed:
    """A database pool of that size; a connection is held as long as in the trace."""
    held_ms = min(known.structure.connection_ms, network.wait_ms)
    if held_ms < LEAST_MS:
        return Changed(network, ("no gain: the request holds no connection while it waits",))
    others = tuple(each for each in network.limits if each.kind is not LimitKind.DATABASE)
    limit = Limit(LimitKind.DATABASE, size, held_ms)
    remarks = [f"a connection is held {held_ms:.3g} ms: {1000 * size / held_ms:.3g}/s at most"]
    if known.structure.pool_slots is None:
        remarks.append("what opening connections costs now is not taken off")
    return Changed(replace(network, limits=(*others, limit)), tuple(remarks))


def _connected(network: Network, size: int, known: Known) -> Changed:
    """An HTTP client of that many connections, which all requests of a process share."""
    calls = [call for call in known.structure.calls if call.kind is MarkKind.OUTBOUND]
    held_ms = min(sum(call.ms for call in calls), network.wait_ms)
    if held_ms < LEAST_MS:
        return Changed(network, ("no gain: the request waits for no call of an HTTP client",))
    # Calls at once hold a connection each: the client has so many fewer for other requests.
    at_once = sum(call.ms for call in calls) / held_ms
    slots = max(1, round(size * network.workers / at_once))
    others = tuple(each for each in network.limits if each.kind is not LimitKind.CLIENT)
    limit = Limit(LimitKind.CLIENT, slots, held_ms)
    remark = f"{slots} requests may be in their calls: {1000 * slots / held_ms:.3g}/s at most"
    return Changed(replace(network, limits=(*others, limit)), (remark,))


def _threaded(network: Network, threads: int) -> Changed:
    if network.front is None:
        return Changed(network, ("no gain: this server takes requests in without a limit",))
    return Changed(replace(network, front=threads * network.workers))


def _matching(structure: Structure, only: str) -> list[WaitingCall]:
    return [call for call in structure.calls if only in call.text or only in call.place]


def _is_sync_client(call: WaitingCall, structure: Structure) -> bool:
    return structure.async_view is False and call.kind in {
        MarkKind.OUTBOUND,
        MarkKind.SLEEP,
        MarkKind.QUERY,
    }


def _costing(network: Network, added_ms: float, doubt: float) -> Network:
    cost = network.cost
    return replace(
        network,
        cost=replace(cost, added_ms=cost.added_ms + added_ms, doubt=math.hypot(cost.doubt, doubt)),
    )
