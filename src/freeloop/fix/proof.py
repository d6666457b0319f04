"""Doubts: what reading the code does not prove about a receiver; an edit with one is not safe.

The analysis takes the likeliest kind of a name. That is right for a finding, which a person reads,
and too little for an edit that nobody reads: here every name must be bound once, by an import, a
definition or a call of Django that leaves no choice.
"""

from __future__ import annotations

import ast

from freeloop.fix.names import Binding, How, bindings
from freeloop.fix.source import Source, term_of
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Class, Func
from freeloop.source.code.kinds import (
    ClassRef,
    Ext,
    ExtInst,
    FuncRef,
    Inst,
    Kind,
    Manager,
    QuerySet,
)
from freeloop.source.code.orm import LAZY, MANAGER_NAMES, ONE_ROW
from freeloop.source.code.resolve import OFFLOADERS

# Of a raw query: another class, with fewer methods.
BUILDERS = LAZY - {"raw", "as_manager", "from_queryset", "get_queryset"}
GIVES_ROW = frozenset({f"a{name}" for name in ONE_ROW if "_or_" not in name} | ONE_ROW)
# Blocks that may stay open while other tasks run.
HARMLESS_BLOCKS = ("contextlib.suppress", "contextlib.nullcontext", "open", "tempfile.", "io.")


class Proof:
    """Looks for doubts about expressions of one function."""

    def __init__(self, graph: Graph, source: Source, func: Func) -> None:
        """Look in a function of a file."""
        self.graph = graph
        self.source = source
        self.func = func

    def doubt(self, node: ast.expr) -> str:
        """Return why it is not certain what an expression is; "" when it is."""
        match node:
            case ast.Name():
                return self._of_name(node)
            case ast.Attribute():
                return self._of_attribute(node)
            case ast.Call():
                return self._of_call(node)
            case ast.Await() if isinstance(node.value, ast.Call):
                return self._of_call(node.value)
            case ast.Subscript() if isinstance(node.slice, ast.Slice):
                if isinstance(node.value, ast.Name):
                    return f"a slice of {node.value.id} is a list once its rows were taken"
                return self.doubt(node.value)
            case _:
                pass
        return f"what {self._short(node)} is was only read"

    def only_binding(self, name: str, at: ast.AST) -> Binding | None:
        """Return the one place that binds a name; None for a builtin and for several."""
        found = bindings(self.source, name, at)
        return found[0] if len(found) == 1 else None

    def kind(self, node: ast.expr) -> Kind | None:
        """Return what the analysis takes an expression for."""
        return self.graph.program.evaluate(self.func, term_of(node))

    def _of_name(self, node: ast.Name) -> str:
        found = bindings(self.source, node.id, node)
        if not found:
            module = self.func.module
            return f"{node.id} may come from a star import" if module.stars else ""
        if len(found) > 1:
            return f"{node.id} is set at {len(found)} places"
        match found[0]:
            case Binding(how=How.IMPORT | How.DEFINED):
                return self._of_definition(node)
            case Binding(how=How.ASSIGNED | How.ITEM, value=ast.expr() as value):
                return self.doubt(value)
            case Binding(how=How.PARAMETER):
                return f"{node.id} is given by the caller"
            case _:
                return f"what {node.id} is was only read"

    def _of_definition(self, node: ast.Name) -> str:
        """Return why a name may be defined twice where it comes from."""
        kind = self.kind(node)
        defined: list[Class | Func]
        match kind:
            case ClassRef():
                module, name, defined = kind.cls.module, kind.cls.name, [*kind.cls.module.classes]
            case FuncRef():
                module, name = kind.func.module, kind.func.name
                defined = [*module.functions]
            case _:
                return ""
        again = name in self.graph.program.resolver.variables(module)
        if again or sum(each.name == name for each in defined) > 1:
            return f"{node.id} is defined more than once in {module.name}"
        return ""

    def _of_attribute(self, node: ast.Attribute) -> str:
        doubt = self.doubt(node.value)
        if doubt:
            return doubt
        kind = self.kind(node.value)
        if isinstance(kind, Inst) and not self.graph.program.resolver.is_model(kind.cls):
            return f"what {self._short(node)} is was only read"
        return ""

    def _of_call(self, node: ast.Call) -> str:
        callee = node.func
        doubt = self.doubt(callee.value if isinstance(callee, ast.Attribute) else callee)
        if doubt:
            return doubt
        kind = self.kind(callee)
        if isinstance(kind, ClassRef):
            return ""
        if isinstance(kind, Ext) and kind.name in _SETTLED_CALLS:
            return ""
        if (
            isinstance(callee, ast.Attribute)
            and callee.attr in BUILDERS | GIVES_ROW
            and isinstance(self.kind(callee.value), QuerySet | Manager)
        ):
            return ""
        return f"what {self._short(callee)}() gives was only read"

    def doubt_of_method(self, target: FuncRef, owner: ast.expr) -> str:
        """Return why a call may not reach the function of the project that was found.

        Args:
            target: The function.
            owner: What stands before the dot of a method; the name itself of a function.
        """
        func = target.func
        inside = self.func.parameters[:1] if self.func.cls is not None else ()
        if isinstance(owner, ast.Name) and inside and owner.id == inside[0][0]:
            if len(bindings(self.source, owner.id, owner)) > 1 or func.cls is None:
                return f"{owner.id} is set anew"
            return self._of_subclasses(self.func.cls, func.last_name)
        return self.doubt(owner)

    def _of_subclasses(self, cls: Class | None, name: str) -> str:
        for module in self.graph.program.index.with_classes(name):
            for each in module.classes:
                if (
                    each is not cls
                    and name in each.methods
                    and cls in (self.graph.program.resolver.mro(each))
                ):
                    return f"{each.last_name} has a {name} of its own"
        return ""

    def doubt_of_offload(self, node: ast.expr) -> str:
        """Return why an expression may not be what `sync_to_async` gave."""
        value: ast.expr | None = node
        if isinstance(node, ast.Name):
            binding = self.only_binding(node.id, node)
            value = binding.value if binding is not None else None
        if isinstance(value, ast.Call):
            kind = self.kind(value.func)
            if isinstance(kind, Ext) and kind.name in OFFLOADERS:
                return self.doubt(value.func)
        return f"{self._short(node)} was wrapped in a way that was only read"

    def doubt_of_rows(self, node: ast.expr, *names: str) -> str:
        """Return why the rows of a proved queryset or manager may not be Django's own.

        Args:
            node: The queryset, the manager, or a row.
            names: Methods that Django's own class must answer.
        """
        asked = {*names, *_methods_in(node)}
        if isinstance(node, ast.Name):
            binding = self.only_binding(node.id, node)
            if binding is not None and binding.value is not None:
                asked |= _methods_in(binding.value)
        kind = self.kind(node)
        match kind:
            case QuerySet() | Manager():
                model = kind.model
            case Inst() | ClassRef():
                model = kind.cls
            case _:
                return "its model was not found"
        if isinstance(model, Class):
            return self._of_model(model, asked)
        return f"the manager of {model or 'its model'} is not the project's, and not read"

    def _of_model(self, model: Class, names: set[str]) -> str:
        resolver = self.graph.program.resolver
        for each in resolver.mro(model):
            if isinstance(each, str):
                if not each.startswith("django."):
                    return f"{model.last_name} inherits from {each}, which is not read"
                continue
            for name in names & set(each.methods):
                if name.startswith("a"):
                    return f"{each.last_name} has a {name} of its own"
            for attribute, (_, value, _) in each.attributes.items():
                doubt = self._of_manager(
                    attribute, resolver.evaluate(each.module.body, value), names
                )
                if doubt:
                    return doubt
        return ""

    def _of_manager(self, attribute: str, kind: Kind | None, names: set[str]) -> str:
        resolver = self.graph.program.resolver
        cls: Class | None = None
        match kind:
            case Inst() if resolver.is_manager(kind.cls):
                cls = kind.cls
            case Manager():
                cls = kind.cls
            case ExtInst() if kind.name.endswith("Manager") and kind.name not in MANAGER_NAMES:
                return f"the manager {kind.name} is not read"
            case None if attribute in ("objects", "_default_manager"):
                return f"the manager {attribute} is made in a way that reading does not follow"
            case _:
                pass
        if cls is None:
            return ""
        for each in resolver.mro(cls):
            if isinstance(each, str):
                if not each.startswith("django."):
                    return f"{cls.last_name} inherits from {each}, which is not read"
            elif own := sorted(
                (names | {"__iter__", "_fetch_all", "__aiter__"}) & set(each.methods)
            ):
                return f"{each.last_name} has a {own[0]} of its own"
        return ""

    def _short(self, node: ast.expr) -> str:
        text = " ".join(self.source.written(node).split())
        return text if len(text) <= 40 else f"{text[:37]}..."


# Give a row of their first argument, or a class.
_SETTLED_CALLS = frozenset(
    {
        "django.shortcuts.get_object_or_404",
        "django.shortcuts.aget_object_or_404",
        "asyncio.get_running_loop",
        "asgiref.sync.sync_to_async",
    }
)


def _methods_in(node: ast.expr) -> set[str]:
    """Return the methods of a chain: filter and exclude of `Dish.objects.filter().exclude()`."""
    return {
        each.func.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
    }
