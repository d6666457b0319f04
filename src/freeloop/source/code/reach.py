"""What runs on the event loop, and the shortest way from an entry point to a site there."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from freeloop.model.finding import Guard
from freeloop.source.code.conditions import before_call, met
from freeloop.source.code.crashes import Crashes
from freeloop.source.code.entries import Entry
from freeloop.source.code.index import Func
from freeloop.source.code.instances import before_method
from freeloop.source.code.program import Program
from freeloop.source.code.runs import Runs
from freeloop.source.code.sites import Condition, Site, stronger, weight

MOST_STATES = 2_000

# A function, and what must hold of its parameters.
type State = tuple[Func, frozenset[Condition]]


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

    @property
    def holds(self) -> bool:
        """Whether it begins on the loop; it does not where no call gives what is needed."""
        return self.entry is not None or self.start.is_async


class Reach:
    """Functions on the loop with the calls between them.

    Attributes:
        functions: Every function that runs on an event loop, in the order found.
    """

    def __init__(self, runs: Runs, crashes: Crashes, entries: Sequence[Entry]) -> None:
        """Follow calls from every async function, entry points first."""
        self._runs = runs
        self._crashes = crashes
        program = runs.program
        self._entries = {entry.func: entry for entry in reversed(entries)}
        self._callers: dict[Func, list[Call]] = {}
        self._ways: dict[State, Way] = {}
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
                    for callee, before in self._runs.of(site):
                        if callee is func:
                            continue
                        guard = stronger(site.guard, before)
                        self._callers.setdefault(callee, []).append(Call(func, callee, site, guard))
                        if callee not in seen:
                            waiting.append(callee)

    def is_entry(self, func: Func) -> bool:
        """Tell whether a function is an entry point."""
        return func in self._entries

    def callers(self, func: Func) -> list[Call]:
        """Return the calls on the loop that run a function."""
        return self._callers.get(func, [])

    def way_to(self, func: Func, given: Iterable[Condition] = ()) -> Way:
        """Return the way that most likely is taken, and the shortest of those.

        The least fixed point of "reaches the function" over the calls, backwards: every function
        is settled once for what must hold of its parameters, by the strongest guard on its way
        and then by its length, so a cycle of calls ends.

        Args:
            func: Function to reach.
            given: What must hold of its parameters.
        """
        key = (func, frozenset(given))
        known = self._ways.get(key)
        if known is None:
            known = self._ways[key] = self._search(key)
        return known

    def _search(self, aim: State) -> Way:
        first = self._entry_guard(aim)
        best: dict[State, tuple[int, int, str]] = {aim: (weight(first), 0, "")}
        step: dict[State, tuple[Call, State]] = {}
        guards = {aim: first}
        settled: set[State] = set()
        heap: list[tuple[int, int, int, State]] = [(0, 0, 0, aim)]
        found: list[State] = []
        nearest: State | None = None
        number = 0
        while heap:
            _, length, _, here = heapq.heappop(heap)
            if here in settled:
                continue
            settled.add(here)
            if self._is_met(here):
                found.append(here)
                continue
            if here[0].is_async and nearest is None:
                nearest = here
            for call in self._callers.get(here[0], ()):
                needed = self._before(call, here[1])
                if needed is None:
                    continue
                # So many ways are not worth to be told apart.
                there = (call.caller, needed if len(best) < MOST_STATES else frozenset())
                guard = stronger(guards[here], self._guard(call))
                if there[0] in self._entries:
                    guard = stronger(guard, self._entries[there[0]].guard)
                cost = (weight(guard), length + 1, call.caller.qualified)
                if there not in best or cost < best[there]:
                    best[there] = cost
                    step[there] = (call, here)
                    guards[there] = guard
                    number += 1
                    heapq.heappush(heap, (*cost[:2], number, there))
        start = found[0] if found else nearest or aim
        calls: list[Call] = []
        here = start
        while here != aim:
            call, here = step[here]
            calls.append(call)
        entries = dict.fromkeys(self._entries[each] for each, _ in found)
        entry = self._entries.get(start[0]) if found else None
        others = tuple(each for each in entries if each is not entry)
        return Way(entry, start[0], tuple(calls), guards[start], others)

    def _before(self, call: Call, conditions: frozenset[Condition]) -> frozenset[Condition] | None:
        """Return what the caller must meet for a call to be what is needed; None if never."""
        needed = before_call(conditions, call.site, call.callee)
        own = [each for each in conditions if "." in each.parameter]
        if not own or needed is None:
            return needed
        program = self._runs.program
        sites = program.sites(call.caller)
        found = [before_method(program.resolver, each, call.site, sites) for each in own]
        if False in found:
            return None
        return needed | {each for each in found if isinstance(each, Condition)}

    def _guard(self, call: Call) -> Guard:
        if self._crashes.before(call.site) is not None:
            return Guard.AFTER
        return call.guard

    def _entry_guard(self, state: State) -> Guard:
        entry = self._entries.get(state[0])
        return entry.guard if entry is not None else Guard.NONE

    def _is_met(self, state: State) -> bool:
        """Tell whether an entry point is called with what must hold of its parameters."""
        entry = self._entries.get(state[0])
        if entry is None or (entry.maybe and self._callers.get(entry.func)):
            return False
        known = entry.known
        return not any(met(each, known.get(each.parameter)) is False for each in state[1])
