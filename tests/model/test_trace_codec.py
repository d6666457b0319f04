"""A trace survives its file, and a file that is no trace is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freeloop.errors import FreeloopError
from freeloop.model.trace import (
    Edge,
    Lane,
    LaneKind,
    Mark,
    MarkKind,
    Origin,
    Place,
    Recorded,
    Sample,
    Step,
    Trace,
    TraceEnvironment,
    Variable,
)
from freeloop.model.trace_codec import decode_trace, encode_trace, read_trace, write_trace

words = st.text(max_size=12)
whole = st.integers(min_value=0, max_value=2**53)
plain = st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | words
LANES, PLACES = 3, 2
lane_ids = st.integers(0, LANES - 1)
place_ids = st.integers(0, PLACES - 1)

marks = st.builds(
    Mark,
    at_ns=whole,
    kind=st.sampled_from(MarkKind),
    edge=st.sampled_from(Edge),
    lane=lane_ids,
    id=whole,
    parent=st.none() | whole,
    place=st.none() | place_ids,
    cpu_ns=st.none() | whole,
    queue_ns=st.none() | whole,
    text=words,
    detail=st.dictionaries(words, plain, max_size=3),
)
variables = st.builds(Variable, words, words, st.sampled_from(["new", "changed", "gone"]))
steps = st.builds(
    Step,
    at_ns=whole,
    lane=lane_ids,
    place=place_ids,
    frame=whole,
    event=words,
    variables=st.lists(variables, max_size=2).map(tuple),
)
samples = st.builds(
    Sample, at_ns=whole, lane=lane_ids, frames=st.lists(place_ids, max_size=3).map(tuple)
)
places = st.builds(Place, words, whole, words, st.sampled_from(Origin))
environments = st.builds(
    TraceEnvironment,
    recorded_at=words,
    versions=st.dictionaries(words, words, max_size=2),
    cores=whole,
    middleware=st.lists(words, max_size=2).map(tuple),
    database=st.lists(words, max_size=2).map(tuple),
    mark_cost_ns=whole,
    probes_off=st.dictionaries(words, words, max_size=2),
    dropped=whole,
)
requests = st.builds(
    Recorded,
    method=words,
    path=words,
    route=words,
    view=words,
    async_view=st.none() | st.booleans(),
    interface=words,
    relieved=st.booleans(),
    status=st.none() | whole,
    sent_bytes=whole,
    streamed=st.booleans(),
    error=words,
)
lanes = tuple(Lane(number, LaneKind.TASK, "x", number - 1 or None) for number in range(LANES))
traces = st.builds(
    Trace,
    environment=environments,
    request=requests,
    lanes=st.just(lanes),
    places=st.tuples(places, places),
    marks=st.lists(marks, max_size=4).map(tuple),
    steps=st.lists(steps, max_size=3).map(tuple),
    samples=st.lists(samples, max_size=2).map(tuple),
    sources=st.dictionaries(words, words, max_size=2),
)


@given(trace=traces)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_trace_comes_back_from_its_json_unchanged(trace: Trace) -> None:
    """A file, a colleague's machine and a live recording must be judged and drawn alike."""
    text = json.dumps(encode_trace(trace), allow_nan=False)

    assert decode_trace(json.loads(text)) == trace


def small() -> Trace:
    request = Recorded("GET", "/", "", "", None, "asgi", False, 200, 2, False)
    environment = TraceEnvironment("2026", {"python": "3.13"}, 2, (), (), 900)
    mark = Mark(0, MarkKind.REQUEST, Edge.BEGIN, 0, 1, place=0, text="Grüße")
    place = Place("views.py", 1, "view", Origin.PROJECT)
    return Trace(environment, request, lanes, (place,), (mark,), sources={"views.py": "x = 1\n"})


@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
def test_a_file_holds_the_trace_compressed_when_its_name_says_so(tmp_path: Path, name: str) -> None:
    """One file is all that a colleague needs, sources included."""
    file = tmp_path / name

    write_trace(small(), file)

    assert read_trace(file) == small()
    assert (file.read_bytes()[:2] == b"\x1f\x8b") == name.endswith(".gz")


@pytest.mark.parametrize("schema", ["freeloop.trace/2", "freeloop.run/1", None])
def test_another_schema_is_refused_with_both_names(schema: object) -> None:
    """Guessing at an unknown number would draw wrong figures."""
    with pytest.raises(FreeloopError) as caught:
        decode_trace({"schema": schema}, "trace.json")

    assert caught.value.slug == "unknown-schema"
    assert repr(schema) in caught.value.what
    assert "freeloop.trace/1" in caught.value.what


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (("marks", 0, "kind", "tea"), "marks[0].kind"),
        (("marks", 0, "detail", {"a": []}), "marks[0].detail.a"),
        (("marks", 0, "lane", 9), "marks[0].lane"),
        (("marks", 0, "place", 9), "marks[0]"),
        (("lanes", 0, "id", 2), "lanes"),
        (("request", "status", "fine"), "request.status"),
    ],
)
def test_a_broken_file_names_the_broken_place(spoil: tuple[Any, ...], place: str) -> None:
    """Somebody edited or cut the file: the message must lead to the spot."""
    data: Any = json.loads(json.dumps(encode_trace(small())))
    target = data["results"][0]
    for key in spoil[:-2]:
        target = target[key]
    target[spoil[-2]] = spoil[-1]

    with pytest.raises(FreeloopError) as caught:
        decode_trace(data, "trace.json")

    assert caught.value.slug == "broken-trace"
    assert caught.value.where == f"trace.json: {place}"


@pytest.mark.parametrize(
    ("content", "slug"),
    [(b"", "broken-trace"), (b"[]", "broken-trace"), (b"\x1f\x8bcut", "broken-trace"),
     (None, "no-trace-file")],
)  # fmt: skip
def test_a_file_that_is_no_trace_is_refused(
    tmp_path: Path, content: bytes | None, slug: str
) -> None:
    """Empty, another JSON, cut short, not there: an error in words, never a traceback."""
    file = tmp_path / "trace.json"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(FreeloopError) as caught:
        read_trace(file)

    assert caught.value.slug == slug
