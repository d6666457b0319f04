"""Conditions on a function's own parameters, and whether a call meets them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from freeloop.source.code.index import Func
from freeloop.source.code.kinds import ClassRef, FuncRef, Offload
from freeloop.source.code.sites import Condition, Site, What
from freeloop.source.code.spelling import written
from freeloop.source.code.terms import (
    ATTRIBUTE,
    BOOLEAN,
    CALL,
    COMPARE,
    CONSTANT,
    DICT,
    IF,
    LAMBDA,
    PARTS,
    RAISE,
    RETURN,
    SEQUENCE,
    STARRED,
    Term,
    Terms,
)

NONE = (CONSTANT, None)
# Operator of a condition: nobody has looked at the parameter, or at its attribute `other`, before.
UNLOADED = "unloaded"
# Decorators that pass on what they are given.
PASSING = ("staticmethod", "classmethod", "property", "overload", "override")


def conditions_of(test: Term, names: Collection[str], *, holds: bool) -> Iterator[Condition]:
    """Yield what a test says about some names, where it holds or where it does not."""
    if _named(test):
        if _named(test) in names:
            yield Condition(_named(test), "", None, holds)
    elif type(test) is not tuple:
        return
    elif test[0] == PARTS and test[1] == "not":
        yield from conditions_of(test[2][0], names, holds=not holds)
    elif test[0] == BOOLEAN and test[2] is holds:
        # All parts of an `and` hold; none of an `or` holds when it does not.
        for each in test[1]:
            yield from conditions_of(each, names, holds=holds)
    elif test[0] == CALL and test[1] == ("all" if holds else "any"):
        for each in _listed(test[2]):
            yield from conditions_of(each, names, holds=holds)
    elif test[0] == COMPARE:
        yield from _compared(test, names, holds=holds)


def _compared(test: Term, names: Collection[str], *, holds: bool) -> Iterator[Condition]:
    _, operator, terms = test
    if len(terms) == 2:
        name, other = _named(terms[0]), terms[1]
        if name in names and _value(other) is not None:
            yield Condition(name, operator, _value(other), holds)


def _named(term: Term) -> str:
    """Return a name, or an attribute of a name: "self.deep"; "" for anything else."""
    if type(term) is tuple and term and term[0] == ATTRIBUTE and type(term[1]) is str:
        return f"{term[1]}.{term[2]}"
    return term if type(term) is str else ""


def _listed(arguments: Terms) -> Terms:
    """Return what a call is given in one list that is written out."""
    if len(arguments) == 1 and type(arguments[0]) is tuple and arguments[0][0] == SEQUENCE:
        return tuple(arguments[0][2])
    return ()


def leaves(body: Terms) -> bool:
    """Tell whether nothing after these statements runs."""
    if not body:
        return False
    last = body[-1]
    if last[0] == IF:
        return leaves(last[2]) and leaves(last[3])
    return bool(last[0] in (RETURN, RAISE))


def unloaded(user: str, passes: frozenset[str]) -> tuple[Condition, ...]:
    """Return what must hold of a parameter for the user, as written, to be loaded here."""
    name, _, attribute = user.partition(".")
    if name in passes and attribute in ("", "user"):
        return (Condition(name, UNLOADED, attribute, holds=True),)
    return ()


def passed(path: str, given: Mapping[str, Term]) -> str:
    """Return what a path from a parameter is where it was given: "user" as "request.user"."""
    name, dot, rest = path.partition(".")
    text = written(given.get(name))
    return f"{text}{dot}{rest}" if text else ""


def before_call(
    conditions: Iterable[Condition], site: Site, callee: Func
) -> frozenset[Condition] | None:
    """Return what a call needs to meet conditions in the function called; None if it never does.

    What the call passes on from its own function's parameters becomes a condition on those.
    """
    needed = set(site.given)
    given = arguments_of(site, callee)
    for condition in conditions if given is not None else ():
        value = given.get(condition.parameter) if given is not None else None
        if condition.operator == UNLOADED:
            path = f"{condition.parameter}.{condition.other}".rstrip(".")
            user = passed(path, given or {})
            if user in site.loaded:
                return None
            needed.update(unloaded(user, site.passes))
        elif type(value) is str and value in site.passes:
            needed.add(Condition(value, condition.operator, condition.other, condition.holds))
        elif met(condition, value) is False or _stands_in(condition, value, callee):
            return None
    if any(each.opposite in needed for each in needed):
        return None
    return frozenset(needed)


def _stands_in(condition: Condition, value: Term, callee: Func) -> bool:
    """Tell whether a branch is for calls that leave a parameter out: `if timeout is None:`.

    Nobody gives what stands for nothing given, but by a literal None.
    """
    is_asked = condition.operator == "Is" and condition.other == NONE and condition.holds
    default = dict(callee.defaults).get(condition.parameter)
    return is_asked and default == NONE and value is not None and value != NONE


def met(condition: Condition, value: Term) -> bool | None:
    """Tell whether a value meets a condition; None if reading does not tell."""
    found = _outcome(condition.operator, value, condition.other)
    return None if found is None else found is condition.holds


def values_of(site: Site, callee: Func, known: Mapping[str, Term]) -> dict[str, Term]:
    """Return the values that a call gives to parameters, as far as reading tells.

    Args:
        site: The call.
        callee: Function called.
        known: Values of the parameters of the function that it is in.
    """
    found = arguments_of(site, callee) or {}
    return {
        name: known.get(value) if type(value) is str and value in site.passes else value
        for name, value in found.items()
    }


def is_ruled_out(site: Site, known: Mapping[str, Term]) -> bool:
    """Tell whether a site is not reached when parameters have these values."""
    return any(
        met(each, known[each.parameter]) is False for each in site.given if each.parameter in known
    )


def _outcome(operator: str, value: Term, other: Term) -> bool | None:
    value = _value(value)
    if value is None:
        return None
    if operator == "":
        return None if value[0] == ATTRIBUTE else bool(value[1])
    if operator in ("Is", "Eq"):
        return _same(value, other)
    if operator in ("IsNot", "NotEq"):
        same = _same(value, other)
        return None if same is None else not same
    return None


def _same(one: Term, other: Term) -> bool | None:
    if one[0] == other[0] == CONSTANT:
        return bool(type(one[1]) is type(other[1]) and one[1] == other[1])
    if one[0] == other[0] == ATTRIBUTE:
        # Members of one enumeration; anything else may be equal.
        return bool(one[2] == other[2]) if one[1] == other[1] else None
    return False if NONE in (one, other) else None


def _value(term: Term) -> Term:
    """Return a constant, or a member of an enumeration as class and name; None for the rest."""
    if type(term) is not tuple:
        return None
    if term[0] == CONSTANT:
        return term
    if term[0] in (SEQUENCE, DICT):
        # Empty or not, it is not None; what it equals is not asked.
        return (term[0], bool(term[2] if term[0] == SEQUENCE else term[1]))
    if term[0] == LAMBDA:
        return (LAMBDA, True)
    if term[0] == ATTRIBUTE and str(term[2]).isupper():
        base = term[1][2] if type(term[1]) is tuple and term[1][0] == ATTRIBUTE else term[1]
        if type(base) is str and base[:1].isupper():
            return (ATTRIBUTE, base, term[2])
    return None


def arguments_of(site: Site, callee: Func) -> dict[str, Term] | None:
    """Return what each parameter is given, its default where that is so; None if not known."""
    term = site.call
    if site.what is not What.CALL or term is None:
        return None
    match site.target:
        case FuncRef() if site.target.func is callee:
            is_bound = site.target.owner is not None
        case Offload(FuncRef() as inner) if inner.func is callee:
            is_bound = inner.owner is not None
        case ClassRef() if callee.last_name == "__init__":
            is_bound = True
        case _:
            return None
    names = [name for name, _ in callee.parameters]
    if is_bound and not _is_static(callee):
        names = names[1:]
    _, _, positional, keywords, *_ = term
    found: dict[str, Term] = {}
    for name, value in zip(names, positional, strict=False):
        if type(value) is tuple and value[0] == STARRED:
            return found
        found[name] = value
    found.update((name, value) for name, value in keywords if name)
    if any(not name for name, _ in keywords) or not passes_all(callee):
        return found
    defaults = dict(callee.defaults)
    # Without what it must be given, this is not the whole call: some is bound already.
    if all(name in found or name in defaults for name in names):
        found = {**defaults, **found}
    return found


def _is_static(func: Func) -> bool:
    return "staticmethod" in func.decorators


def passes_all(func: Func) -> bool:
    """Tell whether no decorator may add arguments."""
    return all(type(each) is str and each in PASSING for each in func.decorators)
