"""What stands before a statement: an ordinary condition, a cache, a setting, a rare branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freeloop.model.finding import Guard
from freeloop.source.code.kinds import Ext, FuncRef, Kind
from freeloop.source.code.terms import (
    ASSIGN,
    ATTRIBUTE,
    AUGMENT,
    BOOLEAN,
    CALL,
    COMPARE,
    CONSTANT,
    EXPRESSION,
    IF,
    NAMED,
    PARTS,
    RETURN,
    SEQUENCE,
    SUBSCRIPT,
    TRY,
    WITH,
    Term,
    Terms,
)

if TYPE_CHECKING:
    from freeloop.source.code.evaluate import Evaluator

NONE = (CONSTANT, None)
# Errors by which code asks whether something is there; everything else caught is rare.
EXPECTED = (
    "KeyError",
    "LookupError",
    "AttributeError",
    "IndexError",
    "DoesNotExist",
    "StopIteration",
)
SETTINGS = ("django.conf.settings", "os.environ", "os.getenv")


def guard_of_test(here: Evaluator, test: Term, body: Terms) -> tuple[Guard, Guard]:
    """Return what a condition means for its two branches."""
    if asks_setting(here, test):
        return Guard.SETTING, Guard.SETTING
    if asks_auser(test):
        return Guard.NONE, Guard.RARE
    missing = _asked_missing(test)
    if missing is not None and _is_kept(here, missing) and sets(body, missing):
        return Guard.CACHE, Guard.BRANCH
    return Guard.BRANCH, Guard.BRANCH


def asks_auser(test: Term) -> bool:
    """Tell whether a test asks if a request has `auser`: where there is a `user`, it has."""
    if type(test) is tuple and test[0] == CALL:
        _, callee, arguments, *_ = test
        if callee == "callable" and len(arguments) == 1:
            return asks_auser(arguments[0])
        return callee in ("hasattr", "getattr") and (CONSTANT, "auser") in arguments
    return False


def guard_of_handler(types: Term) -> Guard:
    """Return what an exception handler means for its body."""
    named = types[2] if type(types) is tuple and types[0] == SEQUENCE else (types,)
    for each in named:
        name = each[2] if type(each) is tuple and each[0] == ATTRIBUTE else each
        if isinstance(name, str) and name.endswith(EXPECTED):
            return Guard.BRANCH
    return Guard.RARE


def leaves_when_kept(term: Term) -> bool:
    """Tell whether an `if` returns what was kept, so that the rest runs only when nothing was."""
    _, test, body, otherwise, _ = term
    if otherwise or not body or body[-1][0] != RETURN:
        return False
    returned = body[-1][1]
    if type(test) is tuple and test[0] == COMPARE and test[1] == "IsNot" and test[2][-1] == NONE:
        asked = test[2][0]
        asked = asked[1] if type(asked) is tuple and asked[0] == NAMED else asked
        return _same(asked, returned)
    if type(test) is tuple and test[0] == COMPARE and test[1] == "In":
        return (
            type(returned) is tuple and returned[0] == SUBSCRIPT and _same(returned[1], test[2][1])
        )
    if type(test) is tuple and test[0] == NAMED:
        test = test[1]
    return test is not None and _same(test, returned)


def asks_setting(here: Evaluator, test: Term) -> bool:
    """Tell whether a test asks what the settings, or the environment, say."""
    if type(test) is tuple:
        tag = test[0]
        if tag == ATTRIBUTE:
            base = here.name(test[1]) if type(test[1]) is str else None
            return isinstance(base, Ext) and base.name in SETTINGS
        if tag == CALL:
            if type(test[1]) is tuple and test[1][0] == ATTRIBUTE:
                callee = here.visit(test[1])
                return isinstance(callee, Ext) and callee.name.startswith(
                    ("os.environ", "os.getenv")
                )
            if type(test[1]) is str and _returns_setting(here.name(test[1])):
                return True
            # A setting with a default.
            return bool(test[2]) and test[1] == "getattr" and test[2][0] == "settings"
        parts = test[2] if tag in (PARTS, COMPARE) else test[1] if tag == BOOLEAN else ()
        # A loop, not `any`: it runs for every condition there is.
        for each in parts:  # noqa: SIM110
            if asks_setting(here, each):
                return True
        return False
    if type(test) is not str or not test.isupper():
        return False
    # `from shop.settings import DEBUG`
    module = here.func.module.imports.get(test, "").rpartition(".")[0]
    return test == "TYPE_CHECKING" or module.rpartition(".")[2] == "settings"


def _returns_setting(kind: Kind | None) -> bool:
    """Tell whether a function of the project only tells what a setting says."""
    if not isinstance(kind, FuncRef) or len(kind.func.body) != 1:
        return False
    term = kind.func.body[0]
    return bool(term[0] == RETURN) and _names_setting(term[1])


def _names_setting(term: Term) -> bool:
    if type(term) is not tuple or not term:
        return False
    if term[0] == ATTRIBUTE and term[1] in ("settings", "os") and term[2] != "path":
        return True
    if term[0] == CALL and term[1] == "getattr" and term[2][:1] == ("settings",):
        return True
    return any(_names_setting(each) for each in term)


def _asked_missing(test: Term) -> Term:
    """Return what a test asks to be missing: `not x`, `x is None`, `key not in x`."""
    if type(test) is not tuple:
        return None
    if test[0] == PARTS and test[1] == "not":
        inner = test[2][0]
        if type(inner) is tuple and inner[0] == CALL:
            # An attribute that is not there yet.
            if inner[1] == "hasattr" and len(inner[2]) == 2 and type(inner[2][1]) is tuple:
                return (ATTRIBUTE, inner[2][0], inner[2][1][1], 0, 0)
            return None
        return inner
    if test[0] == COMPARE:
        if test[1] == "Is" and test[2][-1] == NONE:
            asked = test[2][0]
            return asked[1] if type(asked) is tuple and asked[0] == NAMED else asked
        if test[1] == "NotIn":
            return test[2][1]
    return None


def _is_kept(here: Evaluator, term: Term) -> bool:
    """Tell whether a name outlives one call: an attribute, a container, a looked-up value."""
    if type(term) is str:
        return term not in {name for name, _ in here.func.parameters}
    return not _of_one_connection(here, term)


def _of_one_connection(here: Evaluator, term: Term) -> bool:
    """Tell whether a thing is an attribute of a consumer, which every connection has anew."""
    cls = here.func.cls
    if cls is None or type(term) is not tuple or term[0] != ATTRIBUTE or term[1] != here.func.own:
        return False
    bases = here.program.resolver.library_bases(cls)
    return any(base.startswith("channels.") and base.endswith("Consumer") for base in bases)


def sets(body: Terms, term: Term) -> bool:
    """Tell whether statements set a thing, or an item of it."""
    for each in body:
        tag = each[0]
        targets = each[1] if tag == ASSIGN else (each[1],) if tag == AUGMENT else ()
        for target in targets:
            if _same(target, term):
                return True
            if type(target) is tuple and target[0] == SUBSCRIPT and _same(target[1], term):
                return True
        if tag == IF and (sets(each[2], term) or sets(each[3], term)):
            return True
        if tag == TRY and sets(each[1], term):
            return True
        if tag == WITH and sets(each[2], term):
            return True
        if tag == EXPRESSION and _fills(each[1], term):
            return True
    return False


def _fills(term: Term, kept: Term) -> bool:
    """Tell whether a call adds to a container: `kept.append(...)`."""
    return (
        type(term) is tuple
        and term[0] == CALL
        and type(term[1]) is tuple
        and term[1][0] == ATTRIBUTE
        and term[1][2] in ("append", "add", "update", "set", "setdefault", "extend")
        and _same(term[1][1], kept)
    )


def _same(one: Term, other: Term) -> bool:
    """Tell whether two terms are the same words; their places do not count."""
    if type(one) is tuple and type(other) is tuple:
        if one[0] == other[0] == ATTRIBUTE:
            return bool(one[2] == other[2]) and _same(one[1], other[1])
        if one[0] == other[0] == SUBSCRIPT:
            return _same(one[1], other[1]) and _same(one[2], other[2])
        return bool(one == other)
    return one is not None and bool(one == other)
