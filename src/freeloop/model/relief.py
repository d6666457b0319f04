"""ReliefReport: what relief leaves out for a project, computed, and beside it what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from freeloop.relief.explanation import Charge, Explanation

__all__ = ["Charge", "Count", "Counted", "Difference", "Explanation", "ReliefReport", "Why"]


@dataclass(frozen=True, slots=True)
class Counted:
    """What one GET did.

    Attributes:
        status: HTTP status; None if nothing was answered.
        charge: Hops, by the names of their functions, and threads started.
    """

    status: int | None
    charge: Charge


class Why(StrEnum):
    """Why a counted hop was not computed, or a computed one not counted.

    GUARD: relief ran this hook in a thread, for this request. CLOSING: something hopped before, and
    what is closed belongs to its thread. RENDERING: the view returned a template that is rendered
    later. FAILURE: the view raised, or the answer is an error that is logged. OTHER: code of the
    view, of middleware or of a receiver asked for it. NOT_REACHED: answered without it.
    """

    GUARD = "guard"
    CLOSING = "closing"
    RENDERING = "rendering"
    FAILURE = "failure"
    OTHER = "other"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class Difference:
    """A function that hops more or less often than computed.

    Attributes:
        function: Its dotted name.
        times: Counted minus computed, never zero.
        why: Why.
        words: What the explanation says about that piece; "" when it says nothing.
    """

    function: str
    times: int
    why: Why
    words: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """One GET, counted stock and relieved, each after one that warms up.

    Attributes:
        path: What was asked for.
        view: Dotted name of the view; "" when the URLconf has none for the path.
        view_is_async: Whether the computed numbers beside it are those of an async view.
        stock: Counted without relief.
        relieved: Counted with relief.
        stock_differences: Where stock differs from what was computed.
        relieved_differences: Where relief differs from what was computed.
    """

    path: str
    view: str
    view_is_async: bool
    stock: Counted
    relieved: Counted
    stock_differences: tuple[Difference, ...] = ()
    relieved_differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class ReliefReport:
    """The answer of `freeloop relief`.

    Attributes:
        explanation: Computed from the installed code.
        count: Counted; None if it was not asked for.
        environment: Python, packages and databases of the project, in words.
    """

    explanation: Explanation
    count: Count | None
    environment: Mapping[str, str]
