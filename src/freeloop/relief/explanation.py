"""What relief leaves out for one project: the values that `explain` returns, frozen and plain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Whose piece of a request it is: of the project's MIDDLEWARE, or Django's own around it."""

    MIDDLEWARE = "middleware"
    DJANGO = "django"


class Mode(StrEnum):
    """How Django runs a middleware in an async chain.

    ASYNC: a coroutine of its own. HYBRID: Django's MiddlewareMixin, each hook in a hop. SYNC: it
    takes no async chain, so it holds a thread until the answer. INSIDE: a sync one below makes it
    so. UNUSED: it took itself out of the chain. NONE: no middleware.
    """

    ASYNC = "async"
    HYBRID = "hybrid"
    SYNC = "sync"
    INSIDE = "inside"
    UNUSED = "unused"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """What one piece, or a whole request, costs; names are those of the functions that hop.

    Attributes:
        to_thread: One name for each hop from the event loop to a thread.
        to_loop: One name for each hop from a thread back to the event loop.
        threads: OS threads started.
    """

    to_thread: tuple[str, ...] = ()
    to_loop: tuple[str, ...] = ()
    threads: int = 0

    @property
    def hops(self) -> int:
        """Hops in both directions."""
        return len(self.to_thread) + len(self.to_loop)

    def __add__(self, other: Charge) -> Charge:
        """Return both together."""
        return Charge(
            self.to_thread + other.to_thread,
            self.to_loop + other.to_loop,
            self.threads + other.threads,
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """A charge before and after relief.

    Attributes:
        stock: As Django is installed; None where its code has a shape that is not known.
        relieved: The same request with relief; None likewise.
    """

    stock: Charge | None
    relieved: Charge | None

    @property
    def is_less(self) -> bool:
        """Whether relief takes something off."""
        if self.stock is None or self.relieved is None:
            return False
        return self.relieved.hops < self.stock.hops or self.relieved.threads < self.stock.threads


@dataclass(frozen=True, slots=True)
class Piece:
    """One middleware, or one piece of Django's own.

    Attributes:
        name: Dotted path as in settings.MIDDLEWARE, or what the piece of Django does.
        kind: Whose it is.
        hooks: Methods that it has, in the order in which a request meets them.
        mode: How Django runs a middleware.
        inside: The sync middleware below it whose thread it shares; "" without one.
        async_view: Cost around an async view.
        sync_view: Cost around a sync view.
        is_relieved: Whether relief takes something off at least one of the two.
        why: Why it is not relieved, or not wholly; "" where there is nothing to say.
        conditions: When a request does pay what relief else takes off, in words.
    """

    name: str
    kind: Kind
    hooks: tuple[str, ...]
    mode: Mode
    inside: str
    async_view: Cost
    sync_view: Cost
    is_relieved: bool
    why: str
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Hops and threads of one successful GET without session or message writes; all computed.

    Attributes:
        settings: Settings module.
        django: Version of Django.
        asgiref: Version of asgiref.
        off: Why no request is relieved at all; "" if relief may work.
        unknown: Parts that stay stock because the installed code has another shape, with what.
        share: Share of the requests that are relieved, 0 to 1.
        pieces: From the outside in, then what follows the answer.
    """

    settings: str
    django: str
    asgiref: str
    off: str
    unknown: tuple[str, ...]
    share: float
    pieces: tuple[Piece, ...]

    @property
    def async_view(self) -> Cost:
        """A whole request that an async view answers."""
        return _total(piece.async_view for piece in self.pieces)

    @property
    def sync_view(self) -> Cost:
        """A whole request that a sync view answers."""
        return _total(piece.sync_view for piece in self.pieces)


def _total(costs: Iterable[Cost]) -> Cost:
    every = tuple(costs)
    return Cost(_sum(each.stock for each in every), _sum(each.relieved for each in every))


def _sum(charges: Iterable[Charge | None]) -> Charge | None:
    total = Charge()
    for charge in charges:
        if charge is None:
            return None
        total += charge
    return total
