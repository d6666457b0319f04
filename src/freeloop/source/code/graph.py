"""Questions that rules ask about a project's code; they see sites, kinds and ways, never a tree."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from freeloop.model.finding import Guard
from freeloop.source.code.causes import Cause, Causes
from freeloop.source.code.crashes import Crashes
from freeloop.source.code.decorators import sync_wrapper
from freeloop.source.code.deployment import ALLOWS_UNSAFE, Deployment
from freeloop.source.code.drawing import Drawing
from freeloop.source.code.entries import Entry, find_entries
from freeloop.source.code.index import Class, Func
from freeloop.source.code.layers import Layer, find_layers
from freeloop.source.code.loaders import Loaders
from freeloop.source.code.loops import OwnLoop, own_loops, serves_wsgi_only
from freeloop.source.code.program import Program
from freeloop.source.code.reach import Reach, Way
from freeloop.source.code.runs import Runs
from freeloop.source.code.sequences import Sequence, awaits_in_sequence
from freeloop.source.code.settings import Settings
from freeloop.source.code.sites import Site, What, stronger
from freeloop.source.code.templates import Templates
from freeloop.source.code.updates import Update, updates_across_await
from freeloop.source.code.waiting import Waits


class Graph:
    """A project's code, linked when it is asked.

    Attributes:
        program: Functions with their kinds and sites.
        settings: What the settings module says.
        here: Directory that paths are shown relative to.
        deployment: What other files say about its servers.
        drawing: What its templates do.
    """

    def __init__(
        self,
        program: Program,
        settings: Settings,
        here: Path,
        deployment: Deployment | None = None,
        root: Path | None = None,
    ) -> None:
        """Ask about a program under its settings."""
        self.program = program
        self.settings = settings
        self.here = here
        self.deployment = deployment or Deployment()
        self.drawing = Drawing(program, Templates(root or here))
        self.causes = Causes(program, settings, self.drawing)

    @cached_property
    def entries(self) -> list[Entry]:
        """Entry points that run on the event loop."""
        return [entry for entry in self._called if entry.runs]

    @cached_property
    def is_readable(self) -> bool:
        """Whether what is reached by no entry point can be told from what is."""
        urlconf = self.settings.urlconf
        return bool(self.entries) or (bool(urlconf) and urlconf in self.program.index)

    @cached_property
    def never_awaited(self) -> list[Entry]:
        """What a framework calls and does not await."""
        return [entry for entry in self._called if not entry.runs]

    @cached_property
    def _called(self) -> list[Entry]:
        return find_entries(self.program, self.settings)

    @cached_property
    def middleware(self) -> list[Layer]:
        """The layers of MIDDLEWARE that are the project's own."""
        return list(find_layers(self.program, self.settings))

    @cached_property
    def own_loops(self) -> list[OwnLoop]:
        """What runs on a new event loop each time."""
        wsgi_only = serves_wsgi_only(self.program, self.settings, self.deployment)
        return list(own_loops(self.program, self.settings, self.entries, wsgi_only=wsgi_only))

    @cached_property
    def reach(self) -> Reach:
        """What runs on the loop, and the ways to it."""
        return Reach(self.runs, self.crashes, self.entries)

    @cached_property
    def loaders(self) -> Loaders:
        """Who may have loaded a request's user before."""
        return Loaders(self.program, self.settings)

    @cached_property
    def runs(self) -> Runs:
        """What sites run."""
        return Runs(self.program, self.drawing)

    @cached_property
    def crashes(self) -> Crashes:
        """What is never reached on the loop, because the code before it raises."""
        return Crashes(self.causes, self.runs, refuses=self.refuses_queries)

    @cached_property
    def refuses_queries(self) -> bool:
        """Whether Django raises where a query would run on the loop; otherwise the loop waits."""
        return not (self.deployment.allows_unsafe or self.program.named.holds(ALLOWS_UNSAFE))

    def loop_functions(self) -> Iterator[Func]:
        """Yield every function that runs on an event loop."""
        yield from self.reach.functions

    def async_functions(self) -> Iterator[Func]:
        """Yield every async function."""
        for module in self.program.index.with_async():
            yield from (func for func in module.functions if func.is_async)

    def updates_across_await(self, func: Func) -> Iterator[tuple[Site, Update]]:
        """Yield writes to shared state of what was read before an await."""
        if func.updates:
            own = "" if self._is_made_anew(func.cls) else func.own
            for update in updates_across_await(func.body, own):
                yield Site(What.WRITE, func, update.line, 0, update.text, None), update

    def _is_made_anew(self, cls: Class | None) -> bool:
        """Tell whether each request or connection has an object of its own.

        Channels hands the messages of one connection to its consumer one after another.
        """
        bases = self.program.resolver.library_bases(cls) if cls is not None else ()
        return any(base.startswith(("django.views.", "rest_framework.", "adrf.", "channels."))
                   for base in bases)  # fmt: skip

    def awaits_in_sequence(self, func: Func) -> Iterator[Sequence]:
        """Yield the awaits of a function that do not need one another."""
        if func.in_sequence:
            yield from awaits_in_sequence(func.body)

    @cached_property
    def waits(self) -> Waits:
        """What async functions wait for."""
        return Waits(self.program, self.causes)

    def sites(self, func: Func) -> list[Site]:
        """Return what happens in a function, in the order of the code."""
        return self.program.sites(func)

    @cached_property
    def loop_sites(self) -> list[Site]:
        """What happens on an event loop."""
        return [site for func in self.reach.functions for site in self.program.sites(func)]

    @cached_property
    def loop_calls(self) -> list[Site]:
        """The calls among it."""
        return [site for site in self.loop_sites if site.what is What.CALL]

    @cached_property
    def loop_causes(self) -> list[tuple[Site, Cause]]:
        """What must not happen on an event loop, and does."""
        causes = ((site, self.causes.of(site)) for site in self.loop_sites)
        return [
            (site, cause)
            for site, cause in causes
            if cause is not None and (not site.given or self.way_to_site(site).holds)
        ]

    def way_to(self, func: Func) -> Way:
        """Return how a function on the loop is reached."""
        return self.reach.way_to(func)

    def way_to_site(self, site: Site) -> Way:
        """Return how a site on the loop is reached, where its own conditions are met."""
        way = self.reach.way_to(site.func, site.given)
        after = Guard.AFTER if self.crashes.before(site) is not None else Guard.NONE
        return replace(way, guard=stronger(stronger(way.guard, site.guard), after))

    def own_twin(self, func: Func) -> Func | None:
        """Return the async function beside a sync one that is named as its twin, if any."""
        name = func.last_name
        for twin in (f"a{name}", f"{name}_async", f"async_{name}", f"_a{name.lstrip('_')}"):
            found = (
                self.program.resolver.method(func.cls, twin)
                if func.cls is not None
                else func.module.names.get(twin)
            )
            if isinstance(found, Func) and found.is_async and found is not func:
                return found
        return None

    def sync_wrapper(self, func: Func) -> Func | None:
        """Return the sync function that decorators of the project put in an async one's place."""
        return sync_wrapper(self.program.resolver, func) if func.decorators else None

    def bases(self, cls: Class) -> list[Class | str]:
        """Return a class and its bases; those of libraries by their dotted name."""
        return self.program.resolver.mro(cls)

    def path(self, func: Func) -> str:
        """Return the file of a function as it is shown."""
        return self.shown(func.module.file.path)

    def shown(self, path: str) -> str:
        """Return a path relative to where freeloop was called, when it lies below."""
        here = f"{self.here}/"
        return path.removeprefix(here) if path.startswith(here) else path

    def line_text(self, func: Func, line: int) -> str:
        """Return a line of the file that a function lies in."""
        return linecache.getline(func.module.file.path, line)
