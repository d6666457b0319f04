"""Every sentence that a person reads about one recorded request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from freeloop.model.reading import (
    Effect,
    Happening,
    Moment,
    MomentKind,
    Reading,
    Row,
)
from freeloop.model.timeline import Segment, State
from freeloop.model.trace import LaneKind, Place, Recorded, Step, Trace
from freeloop.render.figures import count_text, ms_text, number_text
from freeloop.render.states import HAPPENING_WORDS, LOOKS, MOMENT_WORDS

NO_STEPS = "No line steps were recorded, so there are no variables."
NO_FINDINGS = "Nothing found that this request could do without."
# "django.dispatch.dispatcher.Signal.asend.<locals>.sync_send" is read by its end.
DOTTED = re.compile(r"[^\W\d]\w*(\.(<locals>|[^\W\d]\w*))+")
STEP_WORDS = {
    "call": "enters",
    "line": "runs",
    "suspend": "waits at",
    "resume": "goes on at",
    "return": "returns from",
    "raise": "leaves with an exception",
}


def place_text(place: Place) -> str:
    """Return where, as editors jump to it."""
    return f"{place.path}:{place.line}"


def stamp_text(at_ns: int) -> str:
    """Return a time since the request's start in ms, all with the same digits."""
    return f"{at_ns / 1e6:.2f}"


def short_text(text: str) -> str:
    """Return a dotted name by its last two parts; any other text as it is."""
    if not DOTTED.fullmatch(text):
        return text
    return ".".join([part for part in text.split(".") if part != "<locals>"][-2:])


def lane_name(trace: Trace, number: int) -> str:
    """Return the name of a lane, a dotted one by its end: "task _order_async 2".

    Lanes that share a name are numbered, in the order of their start.
    """
    full = trace.lanes[number].name
    kind, _, name = full.partition(" ")
    shown = f"{kind} {short_text(name)}".strip()
    same = [lane.id for lane in trace.lanes if lane.name == full]
    return shown if len(same) == 1 else f"{shown} {same.index(number) + 1}"


def row_place(trace: Trace, row: Row) -> str:
    """Return where a row happened, "" where that is not known."""
    return "" if row.place is None else place_text(trace.places[row.place])


def view_text(request: Recorded) -> str:
    """Return kind and name of the view."""
    kind = {True: "async view ", False: "sync view ", None: ""}[request.async_view]
    return f"{kind}{request.view}" if request.view else "no view was called"


def status_text(request: Recorded) -> str:
    """Return the status of the answer."""
    return "no answer" if request.status is None else str(request.status)


def request_line(request: Recorded) -> str:
    """Return the request as one line: method, path, view, status."""
    return f"{request.method} {request.path}  {view_text(request)}  {status_text(request)}"


def how_text(request: Recorded) -> str:
    """Return how it was run and answered."""
    parts = [request.interface.upper(), "with relief" if request.relieved else "without relief"]
    if request.route:
        parts.append(f"route {request.route}")
    parts.append(f"{request.sent_bytes} bytes{', streamed' if request.streamed else ''}")
    if request.error:
        parts.append(f"left with {request.error}")
    return ", ".join(parts)


def environment_line(trace: Trace) -> str:
    """Return where the trace was recorded."""
    known = trace.environment
    first = ("python", "django", "asgiref")
    named = {name: known.versions[name] for name in first if name in known.versions}
    others = {name: text for name, text in known.versions.items() if name not in first}
    parts = [
        ", ".join(f"{name} {version}" for name, version in (named | others).items()),
        " and ".join(known.database) or "no database",
        count_text(len(known.middleware), "middleware layer"),
        count_text(known.cores, "core"),
        f"recorded {known.recorded_at}",
        f"a mark costs {known.mark_cost_ns / 1000:.1f} us",
    ]
    return "; ".join(part for part in parts if part)


def warnings(trace: Trace) -> list[str]:
    """Return what this trace cannot show, one sentence each."""
    known = trace.environment
    lines = [f"not observed: {name}, {reason}" for name, reason in known.probes_off.items()]
    if known.dropped:
        lines.append(f"{count_text(known.dropped, 'mark')} did not fit: the trace has holes")
    return lines


def lane_words(segments: Sequence[Segment]) -> str:
    """Return how long a lane was in each state, longest first: "suspended 80.5 ms, running ...".

    At most three; a state of less than a hundredth of the lane's time is left out.
    """
    sums: Counter[State] = Counter()
    for segment in segments:
        sums[segment.state] += segment.end_ns - segment.start_ns
    least = sums.total() / 100
    return ", ".join(
        f"{LOOKS[state].word} {ms_text(total)} ms"
        for state, total in sums.most_common(3)
        if total >= least
    )


def totals(reading: Reading) -> list[tuple[str, str, str]]:
    """Return label, number and remark of each total; all are measured, in this one request."""
    need = reading.demand
    connection = f"of which used {number_text(need.connection_used_ms)}"
    rows = [
        ("duration", f"{number_text(need.total_ms)} ms", ""),
        (
            "event loop",
            f"{number_text(need.loop_ms)} ms",
            f"of which blocked {number_text(need.blocked_ms)}",
        ),
        (
            "waiting",
            f"{number_text(need.waiting_ms)} ms",
            "nothing worked for it: the loop was free for others",
        ),
        (
            "threads held",
            f"{number_text(need.thread_held_ms)} ms",
            f"of which used {number_text(need.thread_used_ms)}",
        ),
        ("connections held", f"{number_text(need.connection_held_ms)} ms", connection),
        ("CPU", f"{number_text(need.cpu_ms)} ms", "all threads"),
        (
            "unexplained",
            f"{number_text(need.unexplained_ms)} ms",
            "at most this for the interpreter lock",
        ),
        ("hops to a thread", str(need.hops), f"back to the loop {need.backs}"),
        ("threads started", str(need.threads_started), ""),
        ("tasks started", str(need.tasks), ""),
        ("queries", str(need.queries), ""),
    ]
    if reading.trace.request.interface == "wsgi":
        rows = [row for row in rows if row[0] not in {"event loop", "waiting"}]
    return rows


def row_words(reading: Reading, row: Row) -> str:
    """Return what happened, short, for a cell: "waits for asyncio.sleep"."""
    said = HAPPENING_WORDS[row.what]
    what = row.text if row.what is Happening.ENTERED else short_text(row.text)
    match row.what:
        case Happening.SUSPENDED:
            waits = f"{said} {what}" if what else "waits"
            return f"{waits}, resumes at {stamp_text(row.end_ns)}"
        case Happening.HOP if row.other is not None:
            return f"{said}: {what or 'a call'}, on {lane_name(reading.trace, row.other)}"
        case Happening.TASK if row.other is not None and not what:
            return f"{said}: {lane_name(reading.trace, row.other)}"
        case Happening.BLOCKED:
            return f"{said} in {what}" if what else said
        case Happening.ENTERED | Happening.RETURNED:
            return f"{said} {what}".rstrip()
        case _:
            return f"{said}: {what}" if what else said


def row_sentence(reading: Reading, row: Row) -> str:
    """Return one row as one sentence, or two: who, what, where, how long, what others do."""
    trace = reading.trace
    who = lane_name(trace, row.lane)
    what = short_text(row.text)
    where = f" at {place_text(trace.places[row.place])}" if row.place is not None else ""
    lasted_ns = row.end_ns - row.start_ns
    lasted = f", {ms_text(lasted_ns)} ms" if lasted_ns else ""
    match row.what:
        case Happening.SUSPENDED:
            said = f"{who} waits for {what or 'an awaited result'}{where}{lasted}"
        case Happening.HOP:
            thread = lane_name(trace, row.other) if row.other is not None else "a thread"
            queue = f" ({ms_text(row.queued_ns)} ms in the queue)" if row.queued_ns else ""
            said = f"{who} hands {what or 'a call'} to {thread}{where} and waits{lasted}{queue}"
        case Happening.BLOCKED:
            said = f"{who} sits in {what or 'a waiting call'}{where}{lasted}"
        case _:
            said = f"{who}: {row_words(reading, row)}{where}{lasted}"
    return f"{said}. {effect_sentence(reading, row)}".strip()


def effect_sentence(reading: Reading, row: Row) -> str:
    """Return what a row means for the other requests of this process, "" for nothing."""
    lasted = ms_text(row.end_ns - row.start_ns)
    if reading.trace.request.interface == "wsgi" and row.effect is not Effect.NONE:
        return "Other threads can serve others; this one is held."
    match row.effect:
        case Effect.NONE:
            return ""
        case Effect.STALLS:
            return f"It keeps the event loop: no other request can go on for {lasted} ms."
        case Effect.FREES:
            return "The event loop is free for others meanwhile."
        case Effect.HOLDS:
            return "The event loop is free for others meanwhile; a thread is held."
        case Effect.CONNECTION:
            return "The event loop is free for others meanwhile; a database connection is held."


def step_sentence(trace: Trace, step: Step) -> str:
    """Return one line step as a sentence: who, where, and which variables the line before left."""
    place = trace.places[step.place]
    who = lane_name(trace, step.lane)
    said = f"{who} {STEP_WORDS.get(step.event, step.event)} {place_text(place)} ({place.function})"
    news = [f"{item.name} {_change(item.change)}" for item in step.variables]
    return f"{said}; {', '.join(news)}." if news else f"{said}."


def moment_text(moment: Moment) -> str:
    """Return a key moment for a link: why, when, how long."""
    text = f"{MOMENT_WORDS[moment.kind]}"
    if moment.count is not None:
        text = f"{text}: {moment.count}"
    if moment.ms is not None:
        text = f"{text}, {number_text(moment.ms)} ms"
    return f"{text}, at {stamp_text(moment.at_ns)} ms"


def transcript(reading: Reading) -> str:
    """Return the request as one paragraph: how long, where it waited, for whom, what it held."""
    need, request = reading.demand, reading.trace.request
    subject = f"{request.method} {request.path}"
    parts = [f"{subject} took {number_text(need.total_ms)} ms."]
    if request.interface == "asgi":
        parts.append(_loop_words(reading))
    blocked = [row for row in reading.rows if row.what is Happening.BLOCKED]
    if blocked:
        longest = max(blocked, key=lambda row: row.end_ns - row.start_ns)
        parts.append(_blocked_words(reading, longest))
    if wait := _row_of(reading, MomentKind.LONGEST_WAIT):
        where = row_place(reading.trace, wait)
        what = short_text(wait.text) or "an awaited result"
        lasted = ms_text(wait.end_ns - wait.start_ns)
        at = f" at {where}" if where else ""
        parts.append(f"The longest wait was for {what}{at}: {lasted} ms.")
    parts.append(_counts(reading))
    if need.connection_held_ms:
        parts.append(
            f"A database connection was held {number_text(need.connection_held_ms)} ms"
            f" and used {number_text(need.connection_used_ms)} ms."
        )
    if request.error:
        parts.append(f"It ended with {request.error}.")
    return " ".join(parts)


def _loop_words(reading: Reading) -> str:
    need = reading.demand
    held = f"It had the event loop for {number_text(need.loop_ms)} ms"
    if need.waiting_ms <= 0:
        return f"{held} and never waited without holding a thread."
    return (
        f"{held} and waited {number_text(need.waiting_ms)} ms while the loop was free for others."
    )


def _blocked_words(reading: Reading, row: Row) -> str:
    where = row_place(reading.trace, row)
    what = short_text(row.text) or "a waiting call"
    call = f"{what} at {where}" if where else what
    lasted = ms_text(row.end_ns - row.start_ns)
    if row.effect is Effect.STALLS:
        return f"It blocked the loop for {lasted} ms in {call}: no other request could go on."
    return f"Its thread sat in {call} for {lasted} ms."


def _counts(reading: Reading) -> str:
    need = reading.demand
    kinds: Mapping[str, int] = {
        "task": need.tasks,
        "hop to a thread": need.hops,
        "query": need.queries,
    }
    plural = {"hop to a thread": "hops to a thread", "query": "queries"}
    said = [
        f"{count} {kind if count == 1 else plural.get(kind, f'{kind}s')}"
        for kind, count in kinds.items()
        if count
    ]
    threads = sum(lane.kind is LaneKind.THREAD for lane in reading.trace.lanes)
    if threads:
        said.append(count_text(threads, "thread"))
    if not said:
        return "It used no task, hop, thread or query."
    *first, last = said
    return f"It used {f'{", ".join(first)} and ' if first else ''}{last}."


def _row_of(reading: Reading, kind: MomentKind) -> Row | None:
    number = next((moment.row for moment in reading.moments if moment.kind is kind), None)
    return next((row for row in reading.rows if row.number == number), None)


def _change(change: str) -> str:
    return {"new": "appears", "changed": "changes", "gone": "is gone"}.get(change, change)
