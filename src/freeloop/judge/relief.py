"""Where the hops that were counted differ from those computed, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from freeloop.model.relief import Charge, Difference, Explanation, Why

VIEW = "the view"
CLOSING = "closing the response"
# What Django itself calls in a hop when a request is not as usual.
_OF_DJANGO = {
    "django.template.response.SimpleTemplateResponse.render": Why.RENDERING,
    "django.core.handlers.base.BaseHandler.process_exception_by_middleware": Why.FAILURE,
    "django.core.handlers.exception.response_for_exception": Why.FAILURE,
    "django.utils.log.log_response": Why.FAILURE,
}


def differences(
    explanation: Explanation, computed: Charge | None, counted: Charge, *, view: str
) -> tuple[Difference, ...]:
    """Return each function that hops more or less often than computed, the most frequent first.

    Args:
        explanation: What knows the hooks of each piece.
        computed: Of a usual request; None if it is not known: then there is nothing to compare.
        counted: Of the request.
        view: Name under which the view was counted.
    """
    if computed is None:
        return ()
    surplus = Counter(_renamed([*counted.to_thread, *counted.to_loop], view, computed))
    surplus.subtract(Counter([*computed.to_thread, *computed.to_loop]))
    found = [
        _difference(function, times, explanation) for function, times in surplus.items() if times
    ]
    return tuple(sorted(found, key=lambda each: (-abs(each.times), each.function)))


def _renamed(names: list[str], view: str, computed: Charge) -> list[str]:
    # The name of the view is not known when the hops are computed.
    if VIEW in computed.to_thread and view in names:
        names[names.index(view)] = VIEW
    return names


def _difference(function: str, times: int, explanation: Explanation) -> Difference:
    if times < 0:
        return Difference(function, times, Why.NOT_REACHED)
    for piece in explanation.pieces:
        charges = (piece.async_view.stock, piece.sync_view.stock)
        if piece.name == VIEW or not _is_in(function, charges):
            continue
        if piece.name == CLOSING:
            return Difference(function, times, Why.CLOSING)
        return Difference(function, times, Why.GUARD, "; ".join(piece.conditions))
    return Difference(function, times, _OF_DJANGO.get(function, Why.OTHER))


def _is_in(function: str, charges: Iterable[Charge | None]) -> bool:
    return any(
        each is not None and function in (*each.to_thread, *each.to_loop) for each in charges
    )
