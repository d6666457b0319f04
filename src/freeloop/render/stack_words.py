"""Every sentence that a person reads about the middleware stack."""

from __future__ import annotations

from collections.abc import Sequence

from freeloop.model.relief import Charge
from freeloop.model.stack import Order, Piece, StackReport

LEGEND = (
    "One successful GET by an async view; hops and threads are computed from the installed code,"
    " ms are estimated: hops times a warm hop, measured here. held: keeps a thread until the"
    " answer; hybrid: Django calls each hook in a hop; in thread: runs in that of a sync"
    " middleware below."
)


def title(report: StackReport) -> str:
    """Return what was simulated."""
    said = report.simulation.explanation
    return (
        f"middleware of {said.settings}, Django {said.django}, asgiref {said.asgiref};"
        f" a warm hop takes {report.simulation.hop_us:.0f} us (measured)"
    )


def layer_ms(report: StackReport, piece: Piece) -> str:
    """Return the estimated time of a layer's hops, "" where there are none."""
    stock = piece.async_view.stock
    return f"{report.cost_ms(stock.hops):.2f}" if stock is not None and stock.hops else ""


def total(report: StackReport, view: str) -> str:
    """Return the sum for an "async" or a "sync" view."""
    current = report.simulation.current
    cost = current.async_view if view == "async" else current.sync_view
    if cost.stock is None or cost.relieved is None:
        return f"{view} view: not computed, because the installed code has a shape not known"
    threads = _threads(current) if view == "async" else "1 thread held"
    return (
        f"{view} view: {cost.stock.hops} hops, {report.cost_ms(cost.stock.hops):.2f} ms"
        f" (estimated), {threads} while it waits;"
        f" with relief {cost.relieved.hops} hops, {cost.relieved.threads} threads started"
    )


def advice(report: StackReport) -> tuple[str, ...]:
    """Return what would cost less, each with its numbers; the first is worth most."""
    said = report.simulation
    if not said.sync_only:
        return ("No order costs less: nothing here takes async requests away from the loop.",)
    named = _listed(said.sync_only)
    them = "it" if len(said.sync_only) == 1 else "them"
    rewritten = _change(said.current, said.rewritten)
    sentences = [
        f"Rewrite {named} for async: {rewritten}; {_threads(said.rewritten)} while a view awaits."
    ]
    if said.best is not said.current and said.best.moved:
        sentences.append(
            f"Or, with {them} sync: the order below, {_change(said.current, said.best)}. What a"
            " middleware does may depend on those around it: look before you move one."
        )
        sentences += [f"  {path}{_mark(path, said.best)}" for path in said.best.middleware]
    else:
        sentences.append(f"With {them} sync, no order of {said.tried} tried costs less.")
    if said.untried:
        sentences.append(f"{said.untried} orders were not tried: building the stack takes long.")
    if said.refused:
        sentences.append(f"{said.refused} orders were refused by the middleware itself.")
    return tuple(sentences)


def _change(before: Order, after: Order) -> str:
    stock = _hops(before.async_view.stock), _hops(after.async_view.stock)
    relieved = _hops(before.async_view.relieved), _hops(after.async_view.relieved)
    return f"{stock[0]} -> {stock[1]} hops, {relieved[0]} -> {relieved[1]} with relief (computed)"


def _hops(charge: Charge | None) -> str:
    return "?" if charge is None else str(charge.hops)


def _mark(path: str, order: Order) -> str:
    return "    <- moved" if path in order.moved else ""


def _threads(order: Order) -> str:
    """Return what becomes of a thread while an async view awaits something."""
    if order.held:
        return "1 thread held"
    stock = order.async_view.stock
    # The first hop makes the request's thread, which is there until the request ends.
    return "1 thread kept idle" if stock is not None and stock.threads else "no thread"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
