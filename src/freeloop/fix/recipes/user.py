"""`request.user.is_authenticated` in an async view becomes `(await request.auser())...`.

`auser` asks Django's session, and keeps what it found for the request. It does not see a user that
somebody else put into `request.user`: then the edit is not certain.
"""

from __future__ import annotations

import ast

from freeloop.fix import twins
from freeloop.fix.change import Change, Made, Refused
from freeloop.fix.django_request import doubt_of_request
from freeloop.fix.edit import Piece
from freeloop.fix.plain_settings import doubt_of_settings, is_mentioned, sets_user, texts_of
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.fix.source import Source, term_of
from freeloop.source.code.attributes import LAZY_USER
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import ExtInst
from freeloop.source.code.sites import Site, What

MIDDLEWARE = "django.contrib.auth.middleware.AuthenticationMiddleware"
# Of every user, and of none. A model of the project's own may run a query for the others.
OF_EVERY_USER = frozenset({"is_authenticated", "is_anonymous"})
OF_DJANGO_USER = frozenset({"pk", "id", "username", "is_active", "is_staff", "is_superuser"})


def draft(spot: Spot) -> Draft | None:
    """Return the rewrite of every look at the user in the function."""
    if not spot.func.is_async:
        return None
    if not twins.has_coroutine(twins.AUTH_MIDDLEWARE, "auser"):
        raise Refused("this Django has no request.auser()")
    doubts = _of_project(spot.graph)
    changes: list[Change] = []
    for site in spot.graph.sites(spot.func):
        if site.what is What.READ and site.target == ExtInst(LAZY_USER):
            node = _node(spot.source, site)
            user = node.value
            assert isinstance(user, ast.Attribute)
            doubts += must_allow_await(spot, node, site)
            doubts.append(doubt_of_request(spot, user.value))
            doubts.append(_of_attribute(spot, node))
            changes.append(_change(spot.source, user))
    sentence = "(await request.auser()) for request.user"
    return Draft(sentence, tuple(changes), first_of(doubts)) if changes else None


def _node(source: Source, site: Site) -> ast.Attribute:
    for node in source.at(site.line, site.column):
        if isinstance(node, ast.Attribute) and term_of(node) == site.term:
            if not isinstance(node.value, ast.Attribute):
                raise Refused("the user is kept under another name")
            if not isinstance(node.ctx, ast.Load):
                raise Refused("an attribute of the user is set: the other name would not see it")
            return node
    raise Refused("the user was not found in the text")


def _change(source: Source, user: ast.Attribute) -> Change:
    start, end = source.start(user), source.end(user)
    last = end - len(user.attr)

    def do(node: ast.AST) -> Made:
        assert isinstance(node, ast.Attribute)
        node.attr = "auser"
        return ast.Await(ast.Call(node, [], []))

    def undo(node: ast.AST) -> Made:
        assert isinstance(node, ast.Await)
        assert isinstance(node.value, ast.Call)
        assert isinstance(node.value.func, ast.Attribute)
        node.value.func.attr = user.attr
        return node.value.func

    pieces = (Piece(start, start, "(await "), Piece(last, end, "auser())"))
    return Change(source, user, pieces, do, undo)


def _of_attribute(spot: Spot, node: ast.Attribute) -> str:
    parent = spot.source.parents[node]
    if isinstance(parent, ast.Call) and parent.func is node:
        return f"{node.attr} may run a query of its own"
    if node.attr in OF_EVERY_USER:
        return ""
    if node.attr in OF_DJANGO_USER and not is_mentioned(spot.graph, "AUTH_USER_MODEL"):
        return ""
    return f"reading {node.attr} may run a query of its own"


def _of_project(graph: Graph) -> list[str]:
    """Return doubts about who says which user it is."""
    doubts = [doubt_of_settings(graph)]
    middleware = texts_of(graph, "MIDDLEWARE")
    if middleware is None:
        return [*doubts, "MIDDLEWARE is put together at several places"]
    if MIDDLEWARE not in middleware:
        doubts.append("Django's AuthenticationMiddleware was not found in the settings")
    other = next((each for each in middleware if not each.startswith("django.")), None)
    if other is not None:
        doubts.append(f"{other} may set another user, which auser() does not ask for")
    setter = sets_user(graph)
    if setter:
        doubts.append(f"{graph.shown(setter)} sets a user, which auser() does not ask for")
    return doubts


RECIPE = Recipe(frozenset({"FL112"}), draft, of_django=True)
