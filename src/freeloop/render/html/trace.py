"""One recorded request as a self-contained page: a walk through its lines, lanes and variables."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from django.template import Context, Engine
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from freeloop.errors import FreeloopError
from freeloop.model.prediction import Prediction
from freeloop.model.reading import Effect, Happening, Reading
from freeloop.model.trace import Place
from freeloop.render.axis import axis_of
from freeloop.render.figures import ms_text
from freeloop.render.finding_words import MORE_PLACES, finding_place, finding_sentence, mend_text
from freeloop.render.html.lanes import lanes_picture, legend, percent
from freeloop.render.html.prediction import prediction_section
from freeloop.render.html.source import SourceFile, source_files
from freeloop.render.own_steps import is_own
from freeloop.render.states import LOOKS
from freeloop.render.stops import Pending, Stop, labels_of, pending_of, stops_of
from freeloop.render.trace_words import (
    NO_FINDINGS,
    NO_STEPS,
    environment_line,
    how_text,
    lane_name,
    moment_text,
    place_text,
    status_text,
    totals,
    transcript,
    view_text,
    warnings,
)

# The walk begins with what Django does; most readers want to see their own view first.
ENTERED = Happening.ENTERED
HERE = Path(__file__).parent
NAME_JOINTS = re.compile(r"(?<=[._/])(?=[^\W\d])(?!py:)")
# A page with more table rows than this opens slowly; mere lines are left out first.
MOST_STOPS = 3000


def write_trace_page(reading: Reading, path: Path, prediction: Prediction | None = None) -> None:
    """Write the page, with what was predicted from the trace if anything was.

    Raises:
        FreeloopError: `report-not-written` if the file cannot be written.
    """
    try:
        path.write_text(trace_page(reading, prediction), encoding="utf-8")
    except OSError as problem:
        raise FreeloopError(
            "report-not-written",
            what="the trace page cannot be written",
            where=f"{path}: {problem.strerror}",
            mend="give --html a file in a folder that exists and that you may write",
        ) from problem


def trace_page(reading: Reading, prediction: Prediction | None = None) -> str:
    """Return the page; it asks for nothing from the network."""
    # Plain strings only, and no localisation: the page needs no Django settings.
    template = Engine(dirs=[str(HERE)]).get_template("trace.html")
    shown = {
        **_page(reading),
        "prediction": None if prediction is None else prediction_section(prediction),
    }
    return template.render(Context(shown, use_l10n=False, use_tz=False))


def _page(reading: Reading) -> dict[str, object]:
    trace = reading.trace
    every = stops_of(reading)
    stops = every if len(every) <= MOST_STOPS else [each for each in every if each.row is not None]
    pending = pending_of(reading)
    places = [trace.places[each.place] for each in (*stops, *pending) if each.place is not None]
    files = source_files(trace.sources, ((place.path, place.line) for place in places))
    labels = labels_of(stops)
    return {
        # Our own files, read beside this module: nothing of the user's goes in unescaped.
        "style": mark_safe(_state_colours() + _own("base.css") + _own("trace.css")),
        "script": mark_safe(_own("trace.js")),
        "data": _data(reading, list(zip(labels, stops, strict=True)), pending, files),
        "request": trace.request,
        "day": trace.environment.recorded_at[:10],
        "view": view_text(trace.request),
        "status": status_text(trace.request),
        "duration": ms_text(trace.duration_ns),
        "how": how_text(trace.request),
        "transcript": transcript(reading),
        "warnings": warnings(trace),
        "picture": lanes_picture(reading),
        "legend": legend(reading),
        "moments": [(moment_text(each), each.row) for each in reading.moments],
        "files": files,
        "view_step": next((row.number for row in reading.rows if row.what is ENTERED), None),
        "rows": [_row(reading, *each) for each in zip(labels, stops, strict=True)],
        "cut": len(every) - len(stops),
        "no_steps": "" if trace.steps else NO_STEPS,
        "totals": totals(reading),
        "findings": _findings(reading),
        "no_findings": NO_FINDINGS,
        "environment": environment_line(trace),
        "middleware": trace.environment.middleware,
    }


def _row(reading: Reading, label: str, stop: Stop) -> dict[str, object]:
    place = None if stop.place is None else reading.trace.places[stop.place]
    return {
        "label": label,
        "stop": stop,
        "place": _breakable(place_text(place) if place else ""),
        "what": _breakable(stop.what),
        "lane": _breakable(lane_name(reading.trace, stop.lane)),
        "css": _css(reading, stop),
        "news": [
            f"{item.name} {item.change}" if item.change == "gone" else f"{item.name} = {item.shown}"
            for _, item in stop.news
        ],
    }


def _breakable(text: str) -> SafeString:
    """Return a text that may break where a reader would: within a name, after its dots."""
    return mark_safe(NAME_JOINTS.sub("<wbr>", escape(text)))


def _css(reading: Reading, stop: Stop) -> str:
    if stop.row is None:
        return "line"
    if stop.effect is Effect.STALLS:
        return "stalls"
    row = next(row for row in reading.rows if row.number == stop.row)
    return "own" if is_own(reading.trace, row) else "key"


def _findings(reading: Reading) -> list[dict[str, object]]:
    return [
        {
            "place": finding_place(reading.trace, each) or "this request",
            "sentence": finding_sentence(reading, each),
            "more": MORE_PLACES[each.weakness],
            "places": [place_text(reading.trace.places[place]) for place in each.places[1:]],
            "steps": each.rows,
            "mend": mend_text(reading, each),
        }
        for each in reading.findings
    ]


def _data(
    reading: Reading,
    stops: Sequence[tuple[str, Stop]],
    pending: Sequence[Pending],
    files: Sequence[SourceFile],
) -> SafeString:
    """Return what the script walks through, as JSON that cannot end its own element."""
    trace = reading.trace
    axis = axis_of(reading.timeline)
    numbers = {file.path: number for number, file in enumerate(files)}

    def located(place: Place | None) -> list[object]:
        if place is None:
            return [None, 0, ""]
        return [numbers.get(place.path), place.line, place.function]

    text = json.dumps(
        {
            "stops": [
                {
                    "label": label,
                    "at": stop.at_ns,
                    "x": percent(axis.place(stop.at_ns)),
                    "lane": stop.lane,
                    "place": located(None if stop.place is None else trace.places[stop.place]),
                    "frame": stop.frame,
                    "wait": stop.wait,
                    "say": stop.sentence,
                    "news": [
                        [frame, item.name, item.shown, item.change] for frame, item in stop.news
                    ],
                }
                for label, stop in stops
            ],
            "pending": [
                [each.start_ns, each.end_ns, *located(trace.places[each.place])[:2], each.words]
                for each in pending
            ],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    escapes = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
    return mark_safe(text.translate(escapes))


def _state_colours() -> str:
    """Return the colours of the states as custom properties, for light, dark and paper."""
    light = "".join(f"--{state}:{look.light};" for state, look in LOOKS.items())
    dark = "".join(f"--{state}:{look.dark};" for state, look in LOOKS.items())
    return (
        f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
        f"@media print{{:root{{{light}}}}}\n"
        + "".join(f".{state}{{--tone:var(--{state})}}\n" for state in LOOKS)
    )


def _own(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
