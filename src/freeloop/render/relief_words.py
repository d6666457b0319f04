"""Every sentence that a person reads about relief."""

from __future__ import annotations

from freeloop.model.relief import Charge, Count, Counted, Difference, Explanation, Why
from freeloop.relief.explanation import Cost, Kind, Mode, Piece

MODE_WORDS = {
    Mode.ASYNC: "async",
    Mode.HYBRID: "hybrid",
    Mode.SYNC: "sync only",
    Mode.INSIDE: "in thread",
    Mode.UNUSED: "not used",
    Mode.NONE: "",
}
USUAL = "One successful GET that writes no session and no message, after the first of its kind."
LEGEND = (
    "stock -> with relief; hops to a thread or back to the event loop. hybrid: Django calls each"
    " hook in a hop; in thread: runs in the thread of a sync middleware below."
)
CONFIRM = "confirm with one counted request: freeloop relief --explain --count URL"
CURE = "to have it: from freeloop.asgi import get_asgi_application, in asgi.py"


def title(explanation: Explanation) -> str:
    """Return what was explained."""
    return (
        f"relief for {explanation.settings}, Django {explanation.django},"
        f" asgiref {explanation.asgiref}"
    )


def cost_text(cost: Cost, of: str) -> str:
    """Return "15 -> 0" of "hops" or "threads"; "?" if not known, "-" if there is nothing to pay."""
    if cost.stock is None or cost.relieved is None:
        return "?"
    before, after = (
        charge.threads if of == "threads" else charge.hops for charge in (cost.stock, cost.relieved)
    )
    return f"{before} -> {after}" if before or after else "-"


def piece_name(piece: Piece) -> str:
    """Return a short name: Django's own classes without their modules, others in full."""
    if piece.kind is Kind.MIDDLEWARE and piece.name.startswith("django."):
        return piece.name.rpartition(".")[2]
    return piece.name


def notes(piece: Piece) -> tuple[str, ...]:
    """Return why it is not relieved, and when a relieved one pays all the same."""
    return tuple(each for each in (piece.why, "; ".join(piece.conditions)) if each)


def doubts(explanation: Explanation) -> tuple[str, ...]:
    """Return what holds for all of it."""
    said = []
    if explanation.off:
        said.append(f"relief is off: {explanation.off}")
    elif explanation.share < 1:
        said.append(
            f"only {explanation.share:.0%} of the requests are relieved:"
            ' FREELOOP["RELIEF"]["SAMPLE"]'
        )
    said += [f"stays as Django has it, {each}" for each in explanation.unknown]
    return tuple(said)


def sums(explanation: Explanation) -> tuple[str, ...]:
    """Return one sentence for each kind of view."""
    return tuple(
        f"{kind} view: {_hops(cost)} hops, {cost_text(cost, 'threads')} threads (computed)"
        for kind, cost in (("async", explanation.async_view), ("sync", explanation.sync_view))
    )


def count_sentence(count: Count) -> str:
    """Return what was counted, such as "GET /a/: 15 -> 0 hops, 2 -> 0 threads (counted)"."""
    stock, relieved = count.stock.charge, count.relieved.charge
    kind = "async" if count.view_is_async else "sync"
    view = f" ({kind} view {count.view})" if count.view else ""
    return (
        f"GET {count.path}{view}: {stock.hops} -> {relieved.hops} hops,"
        f" {stock.threads} -> {relieved.threads} threads (counted)"
    )


def status_sentence(count: Count) -> str:
    """Return what is unusual about the answer, "" if nothing is."""
    answers = {each.status for each in (count.stock, count.relieved)}
    if answers == {200}:
        return ""
    said = " and ".join(str(each or "no answer") for each in sorted(answers, key=str))
    return f"the answer was {said}; computed is what a successful GET costs"


def agreement(name: str, computed: Charge | None, counted: Counted, differ: int) -> str:
    """Return whether counted and computed are the same."""
    if computed is None:
        return f"{name}: not computed, because the installed code has a shape that is not known"
    hops = counted.charge.hops - computed.hops
    threads = counted.charge.threads - computed.threads
    if not differ and not threads:
        return f"{name}: counted as computed"
    return (
        f"{name}: computed {computed.hops} hops and {computed.threads} threads,"
        f" counted {hops:+d} hops and {threads:+d} threads"
    )


def difference_sentence(difference: Difference) -> str:
    """Return one difference with its reason."""
    match difference.why:
        case Why.GUARD:
            reason = f"not inline for this request ({difference.words})"
        case Why.CLOSING:
            reason = "the request had a thread by then, and what is closed belongs to it"
        case Why.RENDERING:
            reason = "the view returned a template that is rendered later"
        case Why.FAILURE:
            reason = "the view raised, or the answer is an error that is logged"
        case Why.OTHER:
            reason = "called by the view, a middleware or a receiver, not by Django's chain"
        case Why.NOT_REACHED:
            reason = "not reached: the request was answered without it"
    return f"{difference.times:+d} {difference.function}: {reason}"


def _hops(cost: Cost) -> str:
    return cost_text(cost, "hops")
