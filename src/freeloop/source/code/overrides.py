"""Abstract methods: a call of one runs what a class derived from theirs puts in its place."""

from __future__ import annotations

from freeloop.source.code.index import Class, Func
from freeloop.source.code.program import Program
from freeloop.source.code.terms import CALL, CONSTANT, EXPRESSION, RAISE, Term

NOT_DONE_HERE = "NotImplementedError"


class Overrides:
    """The methods that stand for abstract ones."""

    def __init__(self, program: Program) -> None:
        """Look for them in a program."""
        self._program = program
        self._found: dict[Func, tuple[Func, ...]] = {}
        self._derived: dict[Class, tuple[Class, ...]] = {}

    def of(self, method: Func) -> tuple[Func, ...]:
        """Return what may run where an abstract method is called; none for any other function."""
        known = self._found.get(method)
        if known is None:
            known = self._found[method] = self._search(method) if self._is_abstract(method) else ()
        return known

    def _search(self, method: Func) -> tuple[Func, ...]:
        assert method.cls is not None
        name = method.last_name
        return tuple(
            cls.methods[name]
            for cls in self._derived_from(method.cls)
            if name in cls.methods
            # A stand-in of the tests is not what a request meets.
            and (method.in_tests or not cls.methods[name].in_tests)
            and not self._is_abstract(cls.methods[name])
        )

    def _derived_from(self, base: Class) -> tuple[Class, ...]:
        """Return all classes below one, wherever they are written."""
        known = self._derived.get(base)
        if known is not None:
            return known
        index, resolver = self._program.index, self._program.resolver
        found: dict[Class, None] = {}
        seen: set[str] = set()
        names = [base.last_name]
        while names:
            name = names.pop()
            if name in seen:
                continue
            seen.add(name)
            for module in index.deriving_from(name):
                for cls in module.classes:
                    if cls is not base and cls not in found and base in resolver.mro(cls):
                        found[cls] = None
                        names.append(cls.last_name)
        self._derived[base] = tuple(found)
        return self._derived[base]

    def _is_abstract(self, func: Func) -> bool:
        if func.cls is None or func.outer is not None:
            return False
        if func.decorators:
            names = (name for name, _, _ in self._program.resolver.decorator_names(func))
            if any(name.rpartition(".")[2] == "abstractmethod" for name in names):
                return True
        return NOT_DONE_HERE.encode() in func.packed and _only_refuses(func)


def _only_refuses(func: Func) -> bool:
    """Tell whether a body is `raise NotImplementedError` alone, with or without words."""
    said = [each for each in func.body if not _is_text(each)]
    return len(said) == 1 and said[0][0] == RAISE and _raised(said[0][1]) == NOT_DONE_HERE


def _is_text(term: Term) -> bool:
    return term[0] == EXPRESSION and type(term[1]) is tuple and term[1][0] == CONSTANT


def _raised(term: Term) -> Term:
    return term[1] if type(term) is tuple and term[0] == CALL else term
