"""What an evaluator asks of the program around its function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from freeloop.source.code.attributes import Attributes
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Kind
from freeloop.source.code.resolve import Resolver


class Surroundings(Protocol):
    """The program, as one function sees it.

    Attributes:
        resolver: Names.
        attributes: Attributes of things.
    """

    resolver: Resolver
    attributes: Attributes

    def outside(self, func: Func, name: str) -> Kind | None:
        """Return what a name stands for that a function does not set itself."""

    def returned(self, func: Func) -> Kind | None:
        """Return the kind of what a function returns."""

    def loaded(self, func: Func) -> frozenset[str]:
        """Return what of its parameters a thread has looked at whenever a function returns."""

    def lent(self, func: Func) -> Kind | None:
        """Return what a context manager made from a generator gives to `as`."""

    def called(
        self,
        target: Kind | None,
        arguments: Sequence[Kind | None],
        keywords: Mapping[str, Kind | None],
        line: int,
    ) -> Kind | None:
        """Return what a call gives."""

    def superclass(self, func: Func) -> Kind | None:
        """Return what `super()` is in a method."""
