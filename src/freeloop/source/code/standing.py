"""Where a walk stands: what is before this place of a function, and what is around it."""

from __future__ import annotations

from freeloop.model.finding import Guard
from freeloop.source.code.conditions import conditions_of
from freeloop.source.code.sites import Condition, Held, stronger
from freeloop.source.code.terms import Term

type Before = tuple[Guard, tuple[Condition, ...], tuple[int, ...], frozenset[str]]


class Standing:
    """Where a walk stands.

    Attributes:
        guard: What stands before this place.
        looped: Whether it is inside a loop or comprehension.
        held: `with` blocks around it.
        given: What must hold of the parameters to come here.
        passes: Names that still are what the function was given.
        around: Numbers of the blocks around it.
        loaded: What a thread has looked at on every way to here, as written.
        loaded_if: The same, where the last test holds.
    """

    def __init__(self) -> None:
        """Stand at the beginning of a function."""
        self.guard = Guard.NONE
        self.looped = False
        self.held: tuple[Held, ...] = ()
        self.given: tuple[Condition, ...] = ()
        self.passes: frozenset[str] = frozenset()
        self.around: tuple[int, ...] = ()
        self.loaded: frozenset[str] = frozenset()
        self.loaded_if: frozenset[str] = frozenset()
        self._blocks = 0

    def enter(self, guard: Guard, test: Term = None, *, holds: bool = True) -> Before:
        """Begin what may not be reached: behind a guard, where a test holds or does not."""
        before = (self.guard, self.given, self.around, self.loaded)
        self.guard = stronger(self.guard, guard)
        self.learn(test, holds=holds)
        self._blocks += 1
        self.around += (self._blocks,)
        return before

    def leave(self, before: Before) -> None:
        """End it."""
        self.guard, given, self.around, self.loaded = before
        self.given = tuple([each for each in given if each.parameter in self.passes])

    def learn(self, test: Term, *, holds: bool) -> None:
        """Remember that a test holds from here on, or does not."""
        if self.passes:
            self.given += tuple(conditions_of(test, self.passes, holds=holds))

    def set_anew(self, name: str) -> None:
        """Forget what is known of a parameter: its name stands for something else from here on."""
        if self.loaded:
            self.loaded -= {each for each in self.loaded if each.partition(".")[0] == name}
        if name in self.passes:
            self.passes -= {name}
            self.given = tuple([each for each in self.given if each.parameter != name])
