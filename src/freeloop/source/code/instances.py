"""Instances: what an object was made with, where a call shows the object being made.

`if self.create_users:` is never met below `Importer(url).run()` when `create_users` is False by
default: an attribute that `__init__` alone sets, from an argument, is that argument. So is the
field of a row, which Django sets: `Document()` has no address, and nothing behind `if self.url:`
is met below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from freeloop.source.code.conditions import arguments_of, met
from freeloop.source.code.guards import sets
from freeloop.source.code.index import Class, Func
from freeloop.source.code.kinds import ClassRef
from freeloop.source.code.orm import field_kind
from freeloop.source.code.resolve import Resolver
from freeloop.source.code.sites import Condition, Site, What
from freeloop.source.code.terms import ASSIGN, ATTRIBUTE, CALL, CONSTANT, Term


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


def fields(cls: Class) -> frozenset[str]:
    """Return the fields of a model that none of its methods sets."""
    return frozenset(
        name
        for name, (_, value, _) in cls.attributes.items()
        if field_kind(value).endswith("Field") and name not in cls.given
    )


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
    if init is None and resolver.is_model(made.target.cls):
        return False if met(condition, _of_row(made, made.target.cls, condition)) is False else None
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


def _of_row(made: Site, cls: Class, condition: Condition) -> Term:
    """Return what a field of a new row is; None if reading does not tell."""
    _, _, positional, keywords, *_ = made.call or (0, None, (), ())
    name = condition.parameter.partition(".")[2]
    given = dict(keywords)
    if positional or "" in given or None in given or name not in fields(cls):
        return None
    if name in given:
        return given[name] if type(given[name]) is tuple else None
    options = dict(cls.attributes[name][1][3])
    if "default" in options or "db_default" in options:
        return options.get("default")
    # An empty text or None, by the field: both are false, and more is not known.
    return (CONSTANT, None) if condition.operator == "" else None


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
