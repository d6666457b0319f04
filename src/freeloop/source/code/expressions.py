"""Expressions of a syntax tree to terms; half of the one pass over a file."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from freeloop.source.code.terms import (
    ATTRIBUTE,
    AWAIT,
    BOOLEAN,
    CALL,
    CHOICE,
    COMPARE,
    COMPREHENSION,
    CONSTANT,
    DICT,
    LAMBDA,
    NAMED,
    OPERATION,
    PARTS,
    SEQUENCE,
    SLICE,
    STARRED,
    SUBSCRIPT,
    YIELD,
    Term,
    Terms,
)

LONGEST_TEXT = 120
LARGEST_NUMBER = 1_000_000
NONE = (CONSTANT, None)

# Handlers are looked up by type, once for each node, because the generic walk of the standard
# library costs as much as parsing. All are in one class, so that `yield` and `await` can be noted.


class Expressions:
    """Turns expressions into terms.

    Attributes:
        yields: Whether the function being read yields.
        awaits: Whether it awaits, or has an async loop, block or comprehension.
    """

    def __init__(self) -> None:
        self.yields = False
        self.awaits = False
        self._handlers: dict[type[Any], Callable[[Any], Term]] = {
            ast.Name: _name,
            ast.Constant: _constant,
            ast.Attribute: self._attribute,
            ast.Call: self._call,
            ast.Await: self._await,
            ast.Lambda: self._lambda,
            ast.ListComp: self._list_comprehension,
            ast.SetComp: self._set_comprehension,
            ast.GeneratorExp: self._generator,
            ast.DictComp: self._dict_comprehension,
            ast.Tuple: self._tuple,
            ast.List: self._list,
            ast.Set: self._set,
            ast.Dict: self._dict,
            ast.BinOp: self._operation,
            ast.BoolOp: self._boolean,
            ast.UnaryOp: self._unary,
            ast.Compare: self._compare,
            ast.IfExp: self._choice,
            ast.Subscript: self._subscript,
            ast.Starred: self._starred,
            ast.NamedExpr: self._named,
            ast.JoinedStr: self._joined,
            ast.FormattedValue: self._formatted,
            ast.Yield: self._yield,
            ast.YieldFrom: self._yield_from,
            ast.Slice: self._slice,
        }
        self._handler = self._handlers.get

    def expression(self, node: ast.expr | None) -> Term:
        """Return the term of an expression."""
        handler = self._handler(type(node))
        return None if handler is None else handler(node)

    def each(self, nodes: list[Any]) -> Terms:
        """Return the terms of expressions, one for each."""
        handler = self._handler
        return tuple(
            [None if (found := handler(type(node))) is None else found(node) for node in nodes]
        )

    def _attribute(self, node: ast.Attribute) -> Term:
        value = node.value
        base = value.id if type(value) is ast.Name else self.expression(value)
        return (ATTRIBUTE, base, node.attr, node.lineno, node.col_offset)

    def _call(self, node: ast.Call) -> Term:
        keywords = node.keywords
        return (
            CALL,
            self.expression(node.func),
            self.each(node.args) if node.args else (),
            tuple([(each.arg, self.expression(each.value)) for each in keywords])
            if keywords
            else (),
            node.lineno,
            node.col_offset,
            node.end_lineno,
        )

    def _await(self, node: ast.Await) -> Term:
        self.awaits = True
        return (AWAIT, self.expression(node.value), node.lineno, node.col_offset)

    def _lambda(self, node: ast.Lambda) -> Term:
        names = tuple([each.arg for each in (*node.args.posonlyargs, *node.args.args)])
        return (LAMBDA, names, self.expression(node.body), node.lineno)

    def _comprehension(self, kind: str, elements: Terms, node: Any) -> Term:
        generators = []
        for each in node.generators:
            if each.is_async:
                self.awaits = True
            generators.append(
                (
                    self.expression(each.target),
                    self.expression(each.iter),
                    self.each(each.ifs),
                    bool(each.is_async),
                )
            )
        return (COMPREHENSION, kind, elements, tuple(generators), node.lineno, node.col_offset)

    def _list_comprehension(self, node: ast.ListComp) -> Term:
        return self._comprehension("list", (self.expression(node.elt),), node)

    def _set_comprehension(self, node: ast.SetComp) -> Term:
        return self._comprehension("set", (self.expression(node.elt),), node)

    def _generator(self, node: ast.GeneratorExp) -> Term:
        return self._comprehension("generator", (self.expression(node.elt),), node)

    def _dict_comprehension(self, node: ast.DictComp) -> Term:
        elements = (self.expression(node.key), self.expression(node.value))
        return self._comprehension("dict", elements, node)

    def _tuple(self, node: ast.Tuple) -> Term:
        return (SEQUENCE, "tuple", self.each(node.elts))

    def _list(self, node: ast.List) -> Term:
        return (SEQUENCE, "list", self.each(node.elts))

    def _set(self, node: ast.Set) -> Term:
        return (SEQUENCE, "set", self.each(node.elts))

    def _dict(self, node: ast.Dict) -> Term:
        return (DICT, self.each(node.keys), self.each(node.values))

    def _operation(self, node: ast.BinOp) -> Term:
        left, right = self.expression(node.left), self.expression(node.right)
        if left is None and right is None:
            return None
        return (OPERATION, type(node.op).__name__, left, right)

    def _boolean(self, node: ast.BoolOp) -> Term:
        return (BOOLEAN, self.each(node.values), type(node.op) is ast.And)

    def _unary(self, node: ast.UnaryOp) -> Term:
        operand = self.expression(node.operand)
        if operand is None:
            return None
        return (PARTS, "not" if type(node.op) is ast.Not else "", (operand,))

    def _compare(self, node: ast.Compare) -> Term:
        terms = (self.expression(node.left), *self.each(node.comparators))
        return (COMPARE, type(node.ops[0]).__name__, terms)

    def _choice(self, node: ast.IfExp) -> Term:
        return (
            CHOICE,
            self.expression(node.test),
            self.expression(node.body),
            self.expression(node.orelse),
        )

    def _subscript(self, node: ast.Subscript) -> Term:
        base, index = self.expression(node.value), self.expression(node.slice)
        return (SUBSCRIPT, base, index, node.lineno, node.col_offset)

    def _starred(self, node: ast.Starred) -> Term:
        return (STARRED, self.expression(node.value))

    def _named(self, node: ast.NamedExpr) -> Term:
        return (NAMED, node.target.id, self.expression(node.value))

    def _joined(self, node: ast.JoinedStr) -> Term:
        parts = [
            term
            for part in node.values
            if (type(part) is ast.FormattedValue or _is_module(part))
            and (term := self.expression(part))
        ]
        return (PARTS, "text", tuple(parts))

    def _formatted(self, node: ast.FormattedValue) -> Term:
        return self.expression(node.value)

    def _yield(self, node: ast.Yield) -> Term:
        self.yields = True
        return (YIELD, self.expression(node.value), node.lineno, False)

    def _yield_from(self, node: ast.YieldFrom) -> Term:
        self.yields = True
        return (YIELD, self.expression(node.value), node.lineno, True)

    def _slice(self, node: ast.Slice) -> Term:
        return (SLICE, self.each([node.lower, node.upper, node.step]))


def _is_module(part: ast.expr) -> bool:
    """Tell whether a part of an f-string ends the name of a module: ".urls"."""
    text = part.value if type(part) is ast.Constant else None
    return isinstance(text, str) and text[:1] == "." and text[1:].isidentifier()


def _name(node: ast.Name) -> Term:
    return node.id


def _constant(node: ast.Constant) -> Term:
    value = node.value
    if value is None:
        return NONE
    if isinstance(value, str):
        return (CONSTANT, value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT])
    if isinstance(value, int) and -9 < value < LARGEST_NUMBER:
        return (CONSTANT, value)
    return None
