"""`get_object_or_404(...)`, `authenticate(...)` and their like become their awaited async twins.

The twin must be in the same module of the installed Django, with the same parameters; it is
imported beside the sync one.
"""

from __future__ import annotations

import ast

from freeloop.fix import twins
from freeloop.fix.change import Change, Refused, awaited
from freeloop.fix.imports import twin_import
from freeloop.fix.plain_settings import doubt_of_settings, session_engine, texts_of
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Ext
from freeloop.source.code.sites import Site, Use, What

SHORTCUTS = frozenset({"django.shortcuts.get_object_or_404", "django.shortcuts.get_list_or_404"})
AUTH = frozenset(f"django.contrib.auth.{name}" for name in ("authenticate", "login", "logout"))


def draft(spot: Spot) -> Draft | None:
    """Return the rewrite of every call of that function on the line."""
    subject = spot.finding.subject
    sites = [site for site in spot.sites if _calls(site, subject)]
    if subject not in SHORTCUTS | AUTH or not sites or not spot.func.is_async:
        return None
    module, _, name = subject.rpartition(".")
    twin = twins.twin((twins.file_of(module), ""), name)
    if not twin:
        raise Refused(f"this Django has no async twin of {name} with the same parameters")
    changes: list[Change] = []
    doubts: list[str] = []
    for site in sites:
        call = spot.call(site)
        doubts += must_allow_await(spot, call, site)
        doubts.append(spot.proof.doubt(call.func))
        doubts += _of_rows(spot, call) if subject in SHORTCUTS else _of_auth(spot.graph, name)
        if isinstance(call.func, ast.Name):
            changes += twin_import(spot.source, call.func, twin)
        changes.append(awaited(spot.source, call, twin))
    return Draft("", tuple(changes), first_of(doubts))


def _calls(site: Site, subject: str) -> bool:
    return site.what is What.CALL and site.target == Ext(subject) and site.use is not Use.AWAITED


def _of_rows(spot: Spot, call: ast.Call) -> list[str]:
    """Return doubts about the model or queryset that is the first argument."""
    if not call.args or isinstance(call.args[0], ast.Starred):
        return ["its model is not its first argument"]
    return [spot.proof.doubt(call.args[0]), spot.proof.doubt_of_rows(call.args[0], "get", "aget")]


def _of_auth(graph: Graph, name: str) -> list[str]:
    """Return doubts about what Django calls: backends, the session's store, receivers.

    A backend without `BaseBackend` has no async twins; async receivers of a signal run together
    when it is sent asynchronously.
    """
    doubts = [doubt_of_settings(graph)]
    backends = texts_of(graph, "AUTHENTICATION_BACKENDS")
    if backends is None or not all(each.startswith("django.") for each in backends):
        doubts.append("an authentication backend is not Django's own")
    if not is_django_session(graph):
        doubts.append("the session's store is not Django's own")
    if any(entry.what == "receiver" for entry in graph.entries):
        doubts.append(f"a{name} sends its signal to the project's async receivers together")
    return doubts


def is_django_session(graph: Graph) -> bool:
    """Tell whether sessions are kept by Django's own code."""
    return session_engine(graph).startswith("django.contrib.sessions.")


RECIPE = Recipe(frozenset({"FL101", "FL111"}), draft, of_django=True)
