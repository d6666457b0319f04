"""Instances: what an object was made with, where a call shows the object being made.

`if self.create_users:` is never met below `Importer(url).run()` when `create_users` is False by
default: an attribute that `__init__` alone sets, from an argument, is that argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from freeloop.source.code.conditions import arguments_of, met
from freeloop.source.code.guards import sets
from freeloop.source.code.index import Class, Func
from freeloop.source.code.kinds import ClassRef
from freeloop.source.code.resolve import Resolver
from freeloop.source.code.sites import Condition, Site, What
from freeloop.source.code.terms import ASSIGN, ATTRIBUTE, CALL, Term


def fixed_attributes(init: Func) -> frozenset[str]:
    """Return the attributes that nothing but an `__init__` sets, each from an argument."""
    cls = init.cls
    if cls is None:
        return frozenset()
    if cls.fixed is None:
        cls.fixed = frozenset(_fixed_by(init, cls))
    return cls.fixed


def _fixed_by(init: Func, cls: Class) -> Iterator[str]:
    for term in init.body:
        if term[0] != ASSIGN or type(term[2]) is not str or term[2] not in init.names:
            continue
        for target in term[1]:
            if type(target) is not tuple or target[:2] != (ATTRIBUTE, init.own):
                continue
            if len(cls.given.get(target[2], ())) == 1 and not sets(init.body, term[2]):
                yield target[2]


def before_method(
    resolver: Resolver, condition: Condition, site: Site, made_in: list[Site]
) -> Condition | bool | None:
    """Return what the caller must meet for a condition on an attribute of the method's object.

    Args:
        resolver: Of the project.
        condition: On "self.x".
        site: The call of the method.
        made_in: The sites of the calling function.

    Returns:
        False if the object is never so; None if reading does not tell.
    """
    term = site.call
    if term is None or type(term[1]) is not tuple or term[1][0] != ATTRIBUTE:
        return None
    base, name = term[1][1], condition.parameter.partition(".")[2]
    if type(base) is str and f"{base}.{name}" in site.passes:
        return replace(condition, parameter=f"{base}.{name}")
    made = _made(base, name, site.func, made_in)
    if made is None or not isinstance(made.target, ClassRef):
        return None
    init = resolver.method(made.target.cls, "__init__")
    own = [each for each in resolver.mro(made.target.cls) if isinstance(each, Class)]
    # Another class of its bases may set it too.
    given = [each for cls in own for each in cls.given.get(name, ())]
    if init is None or len(given) != 1 or name not in fixed_attributes(init):
        return None
    parameter = given[0][1]
    value = (arguments_of(made, init) or {}).get(parameter)
    if type(value) is str:
        return replace(condition, parameter=value) if value in made.passes else None
    return False if met(condition, value) is False else None


def _made(base: Term, name: str, func: Func, sites: list[Site]) -> Site | None:
    """Return the call that makes an object, if nobody else in a function gets hold of it."""
    if type(base) is tuple and base[0] == CALL:
        return next((each for each in sites if each.call == base), None)
    if type(base) is not str or base in func.names:
        return None
    made = [each for each in sites if each.assigned == base]
    written = (What.WRITE, f"{base}.{name}")
    # Once where it is set, and else only to ask something of it.
    if any((each.what, each.text) == written for each in sites) or _bare(func.body, base) != 1:
        return None
    return made[0] if len(made) == 1 else None


def _bare(term: Term, name: str) -> int:
    """Return how often a name stands for itself, not before a dot."""
    if type(term) is not tuple or (term and term[0] == ATTRIBUTE and term[1] == name):
        return int(type(term) is str and term == name)
    return sum(_bare(each, name) for each in term)
