"""Crashes: sites that never let the code after them run, because Django refuses their query."""

from __future__ import annotations

from freeloop.model.finding import Guard
from freeloop.source.code.causes import CauseKind, Causes
from freeloop.source.code.index import Func
from freeloop.source.code.runs import Runs
from freeloop.source.code.sites import Site, Use, What


class Crashes:
    """Tells what a crash on the event loop keeps from being reached."""

    def __init__(self, causes: Causes, runs: Runs, *, refuses: bool) -> None:
        """Tell it by the causes of a program, and what its sites run.

        Args:
            causes: Of the program.
            runs: Of the program.
            refuses: Whether Django refuses queries at all.
        """
        self._causes = causes
        self._refuses = refuses
        self._runs = runs
        self._sites: dict[Func, list[Site]] = {}
        self._always: dict[Func, bool] = {}

    def before(self, site: Site) -> Site | None:
        """Return the site that raises whenever this one would be next; None if none does."""
        for crash in self._of(site.func):
            if crash is site or crash.line > site.line:
                return None
            if site.line > crash.line and site.block[: len(crash.block)] == crash.block:
                return crash
        return None

    def _of(self, func: Func) -> list[Site]:
        """Return the sites of a function that raise on the loop, in the order of the code."""
        known = self._sites.get(func)
        if known is None:
            # Until it is known, a function that calls itself raises nothing.
            self._sites[func] = []
            known = [site for site in self._runs.program.sites(func) if self._raises(site)]
            self._sites[func] = known = sorted(known, key=lambda site: site.line)
        return known

    def _raises(self, site: Site) -> bool:
        if site.target is None:
            return False
        cause = self._causes.of(site)
        if cause is not None:
            return self._refuses and cause.kind is CauseKind.QUERY
        if site.what not in (What.CALL, What.READ):
            return False
        return any(
            guard is Guard.NONE and self._always_raises(callee)
            for callee, guard in self._runs.of(site)
            if not callee.is_async or site.use is Use.AWAITED
        )

    def _always_raises(self, func: Func) -> bool:
        known = self._always.get(func)
        if known is None:
            self._always[func] = False
            known = self._always[func] = any(not site.block for site in self._of(func))
        return known
