"""What runs on the event loop, and the shortest way from an entry point to a site there."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from freeloop.model.finding import Guard
from freeloop.source.code.entries import Entry
from freeloop.source.code.index import Func
from freeloop.source.code.program import Program
from freeloop.source.code.runs import Runs
from freeloop.source.code.sites import Site, stronger, weight


@dataclass(frozen=True, slots=True)
class Call:
    """One edge: a site of a function on the loop that runs another."""

    caller: Func
    callee: Func
    site: Site
    guard: Guard


@dataclass(frozen=True, slots=True)
class Way:
    """How a function is reached.

    Attributes:
        entry: Entry point that the way starts at; None if no request is known to reach it.
        start: Function that it starts with.
        calls: From the start down to the function.
        guard: The strongest on the way.
        others: The other entry points that reach it.
    """

    entry: Entry | None
    start: Func
    calls: tuple[Call, ...] = ()
    guard: Guard = Guard.NONE
    others: tuple[Entry, ...] = ()


class Reach:
    """Functions on the loop with the calls between them.

    Attributes:
        functions: Every function that runs on an event loop, in the order found.
    """

    def __init__(self, runs: Runs, entries: Sequence[Entry]) -> None:
        """Follow calls from every async function, entry points first."""
        self._runs = runs
        program = runs.program
        self._entries = {entry.func: entry for entry in reversed(entries)}
        self._callers: dict[Func, list[Call]] = {}
        self._ways: dict[Func, Way] = {}
        self.functions: list[Func] = []
        asyncs = (
            func
            for module in program.index.with_async()
            for func in module.functions
            if func.is_async
        )
        self._follow(program, [entry.func for entry in entries], asyncs)

    def _follow(self, program: Program, first: Iterable[Func], then: Iterable[Func]) -> None:
        seen: set[Func] = set()
        for start in (*first, *then):
            waiting = deque([start])
            while waiting:
                func = waiting.popleft()
                if func in seen:
                    continue
                seen.add(func)
                self.functions.append(func)
                for site in program.sites(func):
                    if site.target is None:
                        continue
                    for callee, kept in self._runs.of(site):
                        if callee is func:
                            continue
                        guard = stronger(site.guard, Guard.CACHE) if kept else site.guard
                        self._callers.setdefault(callee, []).append(Call(func, callee, site, guard))
                        if callee not in seen:
                            waiting.append(callee)

    def is_entry(self, func: Func) -> bool:
        """Tell whether a function is an entry point."""
        return func in self._entries

    def callers(self, func: Func) -> list[Call]:
        """Return the calls on the loop that run a function."""
        return self._callers.get(func, [])

    def way_to(self, func: Func) -> Way:
        """Return the way that most likely is taken, and the shortest of those.

        The least fixed point of "reaches the function" over the calls, backwards: every function
        is settled once, by the strongest guard on its way and then by its length, so a cycle of
        calls ends.
        """
        known = self._ways.get(func)
        if known is None:
            known = self._ways[func] = self._search(func)
        return known

    def _search(self, func: Func) -> Way:
        best: dict[Func, tuple[int, int, str]] = {func: (0, 0, "")}
        step: dict[Func, Call] = {}
        guards = {func: Guard.NONE}
        settled: set[Func] = set()
        heap: list[tuple[int, int, int, Func]] = [(0, 0, 0, func)]
        number = 0
        found: list[Func] = []
        nearest: Func | None = None
        while heap:
            _, length, _, here = heapq.heappop(heap)
            if here in settled:
                continue
            settled.add(here)
            if here in self._entries:
                found.append(here)
                continue
            if here.is_async and nearest is None:
                nearest = here
            for call in self._callers.get(here, ()):
                guard = stronger(guards[here], call.guard)
                cost = (weight(guard), length + 1, call.caller.qualified)
                if call.caller not in best or cost < best[call.caller]:
                    best[call.caller] = cost
                    step[call.caller] = call
                    guards[call.caller] = guard
                    number += 1
                    heapq.heappush(heap, (*cost[:2], number, call.caller))
        start = found[0] if found else nearest or func
        calls: list[Call] = []
        here = start
        while here is not func:
            call = step[here]
            calls.append(call)
            here = call.callee
        entry = self._entries.get(start)
        others = tuple(self._entries[each] for each in found[1:])
        return Way(entry, start, tuple(calls), guards[start], others)
