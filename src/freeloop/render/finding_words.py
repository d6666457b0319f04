"""Every sentence about what one recorded request could do without."""

from __future__ import annotations

from freeloop.model.reading import Reading, TraceFinding, Weakness
from freeloop.model.trace import Trace
from freeloop.render.figures import count_text, number_text
from freeloop.render.trace_words import place_text, short_text

MENDS = {
    Weakness.BLOCKS_LOOP: "await an async version of this call, or: await asyncio.to_thread(...)",
    Weakness.SERIAL_AWAITS: (
        "if none needs another's result, await them together: asyncio.gather or a TaskGroup"
    ),
    Weakness.SERIAL_ON_THREAD: (
        "a request has one thread for such calls: make one of them, such as one query for all"
    ),
    Weakness.CONNECTION_UNUSED: "async with freeloop.relief.release_connections(): around the wait",
    Weakness.THREAD_UNUSED: "freeloop.relief keeps none where it can: trace with --relief to see",
    Weakness.HOPS_OF_DJANGO: "freeloop.relief leaves them out: trace with --relief to see",
}
# What a finding's further places are to its first.
MORE_PLACES = {
    Weakness.BLOCKS_LOOP: "via",
    Weakness.SERIAL_AWAITS: "and",
    Weakness.SERIAL_ON_THREAD: "and",
    Weakness.CONNECTION_UNUSED: "over",
    Weakness.THREAD_UNUSED: "and",
    Weakness.HOPS_OF_DJANGO: "and",
}
# Code that held the loop without a call that is known to wait.
MEND_UNKNOWN_BLOCK = (
    "a call that waits: await asyncio.to_thread(...); a computation: another process, since a"
    " thread shares the interpreter lock with the loop"
)


def finding_sentence(reading: Reading, finding: TraceFinding) -> str:
    """Return a finding as one sentence with its number and basis."""
    what = short_text(finding.text)
    cost = f"{number_text(finding.cost_ms)} ms"
    count, basis = finding.count, f"({finding.basis.value})"
    match finding.weakness:
        case Weakness.BLOCKS_LOOP:
            times = f" {count} times, in all" if count > 1 else " for"
            return (
                f"{what or 'this code'} blocks the event loop{times} {cost} {basis}:"
                " no other request goes on meanwhile"
            )
        case Weakness.SERIAL_AWAITS:
            return (
                f"{what}: {count} awaits one after another that may be independent;"
                f" together they could take {cost} less {basis}"
            )
        case Weakness.SERIAL_ON_THREAD:
            return (
                f"{what or 'calls'}: gathered, and still one after another on one thread;"
                f" {count_text(count, 'call')} queued, {cost} {basis}"
            )
        case Weakness.CONNECTION_UNUSED:
            return f"{what}: held {cost} without a query {basis}; others cannot have it meanwhile"
        case Weakness.THREAD_UNUSED:
            return f"{what}: kept {cost} for this request without work {basis}"
        case Weakness.HOPS_OF_DJANGO:
            hops = count_text(count, "hop")
            return f"{hops} to a thread that Django makes for itself, {cost} {basis}"


def mend_text(reading: Reading, finding: TraceFinding) -> str:
    """Return how to mend a finding, as far as this request was not run that way already."""
    request = reading.trace.request
    if finding.weakness is Weakness.THREAD_UNUSED:
        if request.interface == "wsgi":
            return "serve this view by ASGI: under WSGI its thread waits with it"
        if request.relieved:
            return "middleware that is async too: freeloop.relief was installed already"
    if finding.weakness is Weakness.BLOCKS_LOOP and not finding.text:
        return MEND_UNKNOWN_BLOCK
    return MENDS[finding.weakness]


def finding_place(trace: Trace, finding: TraceFinding) -> str:
    """Return the most guilty place, "" where none is known."""
    return place_text(trace.places[finding.places[0]]) if finding.places else ""
