"""Statements of a syntax tree to terms, and the tables of functions and classes of a file."""

from __future__ import annotations

import ast
import marshal
from collections.abc import Callable, Iterator
from typing import Any

from freeloop.source.code.expressions import Expressions
from freeloop.source.code.sequences import awaits_in_sequence
from freeloop.source.code.terms import (
    ANNOTATED,
    ASSIGN,
    ATTRIBUTE,
    AUGMENT,
    CLASS,
    CONSTANT,
    EXPRESSION,
    FOR,
    FUNCTION,
    GLOBAL,
    IF,
    IMPORT,
    MATCH,
    PARTS,
    RAISE,
    RETURN,
    TRY,
    WHILE,
    WITH,
    Term,
    Terms,
)
from freeloop.source.code.updates import updates_across_await

LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


class Reader(Expressions):
    """Reads one file in one pass.

    Attributes:
        functions: One tuple for each function, outer ones before inner ones: qualified name in
            the file, line, end line, whether async, whether it yields, whether it awaits, whether
            it has awaits in sequence, whether it may lose an update, parameters ((name,
            annotation), ...), decorators, annotation of what is returned, number of the class it
            is a method of or -1, number of the function around it or -1, the body in marshal's
            bytes, and the parameters' defaults ((name, term), ...).
        classes: One tuple for each class: qualified name, line, end line, bases, decorators,
            number of the function around it or -1, attributes ((name, annotation, term, line),
            ...), methods ((name, number), ...), attributes that methods give to `self` ((name,
            annotation, term, number of the method), ...).
        imports: ((name here, dotted), ...) of the module itself; "*" for all names.
    """

    def __init__(self, package: str) -> None:
        """Read for a package, which relative imports start from."""
        super().__init__()
        self.functions: list[Any] = []
        self.classes: list[Any] = []
        self.imports: list[tuple[str, str]] = []
        self._package = package.split(".") if package else []
        self._names: list[str] = []
        self._class = -1
        self._function = -1
        self._self = ""
        self._given: list[Any] = []
        self._statements: dict[type[Any], Callable[[Any], Term]] = {
            ast.Expr: self._expression,
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augment,
            ast.Return: self._return,
            ast.If: self._if,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.Raise: self._raise,
            ast.Assert: self._assert,
            ast.FunctionDef: self._define,
            ast.AsyncFunctionDef: self._define,
            ast.ClassDef: self._class_statement,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Match: self._match,
            ast.Global: self._global,
        }

    def block(self, nodes: list[Any]) -> Terms:
        """Return the terms of statements, without those that hold nothing of interest.

        Nor those that never run, though they are read: a `yield` there makes a generator.
        """
        statements = self._statements
        found = []
        is_dead = False
        for node in nodes:
            handler = statements.get(type(node))
            if handler is not None:
                term = handler(node)
                if term is not None and not is_dead:
                    found.append(term)
            is_dead = is_dead or type(node) in LEAVES
        return tuple(found)

    def _expression(self, node: ast.Expr) -> Term:
        term = self.expression(node.value)
        if type(term) is not tuple or term[0] == CONSTANT:
            return None
        return (EXPRESSION, term, node.lineno)

    def _assign(self, node: ast.Assign) -> Term:
        value = self.expression(node.value)
        targets = self.each(node.targets)
        if self._self:
            for target in targets:
                self._note(target, None, value)
        return (ASSIGN, targets, value, node.lineno)

    def _annotated(self, node: ast.AnnAssign) -> Term:
        target = self.expression(node.target)
        annotation, value = self.expression(node.annotation), self.expression(node.value)
        if self._self:
            self._note(target, annotation, value)
        return (ANNOTATED, target, annotation, value, node.lineno)

    def _note(self, target: Term, annotation: Term, value: Term) -> None:
        """Keep what a method gives to an attribute of `self`."""
        if type(target) is tuple and target[0] == ATTRIBUTE and target[1] == self._self:
            self._given.append((target[2], annotation, value, self._function))

    def _augment(self, node: ast.AugAssign) -> Term:
        return (AUGMENT, self.expression(node.target), self.expression(node.value), node.lineno)

    def _return(self, node: ast.Return) -> Term:
        return (RETURN, self.expression(node.value), node.lineno)

    def _if(self, node: ast.If) -> Term:
        test = self.expression(node.test)
        return (IF, test, self.block(node.body), self.block(node.orelse), node.lineno)

    def _for(self, node: ast.For | ast.AsyncFor) -> Term:
        is_async = type(node) is ast.AsyncFor
        if is_async:
            self.awaits = True
        return (
            FOR,
            self.expression(node.target),
            self.expression(node.iter),
            self.block(node.body),
            self.block(node.orelse),
            is_async,
            node.lineno,
            node.col_offset,
        )

    def _while(self, node: ast.While) -> Term:
        test = self.expression(node.test)
        return (WHILE, test, self.block(node.body), self.block(node.orelse), node.lineno)

    def _with(self, node: ast.With | ast.AsyncWith) -> Term:
        is_async = type(node) is ast.AsyncWith
        if is_async:
            self.awaits = True
        items = tuple(
            [
                (self.expression(item.context_expr), self.expression(item.optional_vars))
                for item in node.items
            ]
        )
        return (WITH, items, self.block(node.body), is_async, node.lineno, node.col_offset)

    def _try(self, node: ast.Try | ast.TryStar) -> Term:
        handlers = tuple(
            [(self.expression(each.type), self.block(each.body)) for each in node.handlers]
        )
        return (
            TRY,
            self.block(node.body),
            handlers,
            self.block(node.orelse),
            self.block(node.finalbody),
            node.lineno,
        )

    def _raise(self, node: ast.Raise) -> Term:
        return (RAISE, self.expression(node.exc), node.lineno)

    def _assert(self, node: ast.Assert) -> Term:
        return (EXPRESSION, (PARTS, "assert", (self.expression(node.test),)), node.lineno)

    def _match(self, node: ast.Match) -> Term:
        bodies = tuple([self.block(case.body) for case in node.cases])
        values = tuple([self._value(case.pattern) for case in node.cases])
        return (MATCH, self.expression(node.subject), bodies, node.lineno, values)

    def _value(self, pattern: ast.pattern) -> Term:
        if type(pattern) is ast.MatchSingleton:
            return (CONSTANT, pattern.value)
        return self.expression(pattern.value) if type(pattern) is ast.MatchValue else None

    def _global(self, node: ast.Global) -> Term:
        return (GLOBAL, tuple(node.names))

    def _import(self, node: ast.Import) -> Term:
        found: list[tuple[str, str]] = []
        for alias in node.names:
            name, dot, _ = alias.name.partition(".")
            found.append((alias.asname, alias.name) if alias.asname else (name, name))
            if dot and not alias.asname:
                # A module is loaded that the name alone does not tell.
                found.append((alias.name, alias.name))
        return self._imported(tuple(found))

    def _import_from(self, node: ast.ImportFrom) -> Term:
        module = node.module or ""
        if node.level:
            base = self._package[: len(self._package) - node.level + 1]
            module = ".".join([*base, module] if module else base)
        found = tuple(
            [(alias.asname or alias.name, f"{module}.{alias.name}") for alias in node.names]
        )
        return self._imported(found)

    def _imported(self, found: tuple[tuple[str, str], ...]) -> Term:
        if self._function < 0:
            self.imports.extend(found)
            return None
        return (IMPORT, found)

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Term:
        number = len(self.functions)
        self.functions.append(None)
        decorators = self.each(node.decorator_list)
        arguments = node.args
        parameters = _all_parameters(arguments)
        annotated = tuple([(each.arg, self.expression(each.annotation)) for each in parameters])
        returned = self.expression(node.returns)
        outside = (self.yields, self.awaits, self._class, self._function, self._self)
        in_class = self._class
        self.yields = self.awaits = False
        # A function inside a method still gives attributes to the method's `self`.
        if in_class >= 0:
            self._self = parameters[0].arg if parameters else ""
        self._class, self._function = -1, number
        self._names.append(node.name)
        name = ".".join(self._names)
        body = self.block(node.body)
        self._names.pop()
        yields, awaits = self.yields, self.awaits
        own = parameters[0].arg if in_class >= 0 and parameters else ""
        self.yields, self.awaits, self._class, self._function, self._self = outside
        self.functions[number] = (
            name,
            node.lineno,
            node.end_lineno,
            type(node) is ast.AsyncFunctionDef,
            yields,
            awaits,
            awaits and any(True for _ in awaits_in_sequence(body)),
            awaits and any(True for _ in updates_across_await(body, own)),
            annotated,
            decorators,
            returned,
            in_class,
            self._function,
            # The second format: read a third faster than the newest, for a third more bytes.
            marshal.dumps(body, 2),
            self._defaults(arguments),
        )
        return (FUNCTION, number, node.name)

    def _defaults(self, arguments: ast.arguments) -> Terms:
        """Return name and default of each parameter that has one."""
        if not (arguments.defaults or arguments.kw_defaults):
            return ()
        plain = [*arguments.posonlyargs, *arguments.args]
        last = plain[len(plain) - len(arguments.defaults) :]
        pairs = [*zip(last, arguments.defaults, strict=True)]
        named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        pairs += [(each, default) for each, default in named if default is not None]
        return tuple([(each.arg, self.expression(default)) for each, default in pairs])

    def _class_statement(self, node: ast.ClassDef) -> Term:
        number = len(self.classes)
        self.classes.append(None)
        outside = (self._class, self._self, self._given)
        self._class, self._self, self._given = number, "", []
        self._names.append(node.name)
        name = ".".join(self._names)
        attributes: list[Any] = []
        methods: list[Any] = []
        for term in self.block(node.body):
            for inner in _without_conditions(term):
                tag = inner[0]
                if tag == ASSIGN:
                    names = [target for target in inner[1] if type(target) is str]
                    attributes += [(name, None, inner[2], inner[3]) for name in names]
                elif tag == ANNOTATED and type(inner[1]) is str:
                    attributes.append(inner[1:])
                elif tag == FUNCTION:
                    methods.append((inner[2], inner[1]))
        self._names.pop()
        self.classes[number] = (
            name,
            node.lineno,
            node.end_lineno,
            self.each(node.bases),
            self.each(node.decorator_list),
            self._function,
            tuple(attributes),
            tuple(methods),
            tuple(self._given),
        )
        self._class, self._self, self._given = outside
        return (CLASS, number, node.name)


def _all_parameters(arguments: ast.arguments) -> list[ast.arg]:
    if not (arguments.posonlyargs or arguments.kwonlyargs):
        return arguments.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _without_conditions(term: Term) -> Iterator[Term]:
    """Yield the statements of a class body, those behind `if TYPE_CHECKING` and such too."""
    if term[0] == IF:
        for inner in (*term[2], *term[3]):
            yield from _without_conditions(inner)
    else:
        yield term
