"""Numbered JSON for traces: a trace from a file is judged and drawn as a live one.

Numbers and their history: `freeloop.trace/1`, the first. A value that is the default of its field
is left out, which makes a file about half as long.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from freeloop import __version__
from freeloop.errors import FreeloopError
from freeloop.model.structure import Json, Mismatch, from_plain, to_plain
from freeloop.model.trace import Trace

TRACE_SCHEMA = "freeloop.trace/1"
AGAIN = "record it again: freeloop trace ... --output FILE"


def encode_trace(trace: Trace) -> dict[str, Json]:
    """Return the trace as JSON values; `decode_trace` gives the same trace back."""
    parts = {part.name: getattr(trace, part.name) for part in fields(trace)}
    environment = _brief(parts.pop("environment"))
    return {
        "schema": TRACE_SCHEMA,
        "tool": __version__,
        "environment": environment,
        "results": [{name: _brief(value) for name, value in parts.items()}],
    }


def decode_trace(data: object, where: str = "") -> Trace:
    """Return the trace that the JSON values describe.

    Args:
        data: What `json.loads` gave.
        where: File name for the error message.

    Raises:
        FreeloopError: `unknown-schema` for another kind or number, `broken-trace` for a file
            whose parts do not fit.
    """
    try:
        trace = from_plain(Trace, _parts(data, where))
        _check_references(trace)
    except Mismatch as problem:
        place = f"{where}: {problem.place}" if where else problem.place
        raise _broken(problem.problem, place) from problem
    return trace


def dump_trace(trace: Trace) -> str:
    """Return the trace as the text of a file."""
    return json.dumps(encode_trace(trace), allow_nan=False, ensure_ascii=False)


def write_trace(trace: Trace, path: Path) -> None:
    """Write the trace to a file; compressed when its name ends in .gz."""
    data = dump_trace(trace).encode("utf-8", "backslashreplace")
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    try:
        path.write_bytes(data)
    except OSError as problem:
        raise FreeloopError(
            "cannot-write",
            what=f"cannot write {path}",
            where=str(problem.strerror),
            mend="name a file in a directory that exists",
        ) from problem


def read_trace(path: Path) -> Trace:
    """Return the trace in a file.

    Raises:
        FreeloopError: `no-trace-file`, or as `decode_trace`.
    """
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise FreeloopError(
            "no-trace-file",
            what="the file of the trace cannot be read",
            where=f"{path}: {problem.strerror}",
            mend="give a file that `freeloop trace --output` wrote",
        ) from problem
    try:
        if raw[:2] == GZIP_MAGIC:
            raw = gzip.decompress(raw)
        data = json.loads(raw)
    except (ValueError, EOFError, OSError, zlib.error) as problem:
        raise _broken("it is not JSON", f"{path}: {problem}") from problem
    return decode_trace(data, str(path))


GZIP_MAGIC = b"\x1f\x8b"


def _brief(value: object) -> Json:
    """Return a value as JSON knows it, without the fields that hold their default."""
    if is_dataclass(value):
        defaults = _defaults(cast("Hashable", type(value)))
        found: dict[str, Json] = {}
        for name, default in defaults.items():
            held = getattr(value, name)
            if default is MISSING or held != default:
                found[name] = _brief(held)
        return found
    if isinstance(value, tuple):
        return [_brief(item) for item in value]
    return to_plain(value)


@cache
def _defaults(kind: Hashable) -> Mapping[str, Any]:
    return {
        part.name: part.default_factory() if part.default_factory is not MISSING else part.default
        for part in fields(cast("Any", kind))
    }


def _parts(data: object, where: str) -> Mapping[str, object]:
    """Return the environment and the only result as one object."""
    if not isinstance(data, Mapping):
        raise Mismatch("file", f"expected an object, found {type(data).__name__}")
    _check_schema(data, where)
    results = data.get("results")
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        raise Mismatch("results", "expected a list of one object")
    return {**results[0], "environment": data.get("environment")}


def _check_schema(top: Mapping[str, object], where: str) -> None:
    schema = top.get("schema")
    if schema == TRACE_SCHEMA:
        return
    raise FreeloopError(
        "unknown-schema",
        what=f"this freeloop reads {TRACE_SCHEMA}, the file says {schema!r}",
        where=where or "schema",
        mend="read it with the freeloop named under `tool` in the file, or record it again",
    )


def _check_references(trace: Trace) -> None:
    """Refuse lanes and places that are not there: those who draw would fail far from the cause."""
    if any(lane.id != index for index, lane in enumerate(trace.lanes)) or not trace.lanes:
        raise Mismatch("lanes", "expected lanes numbered from 0")
    lanes, places = range(len(trace.lanes)), range(len(trace.places))
    for name in ("marks", "steps", "samples"):
        for index, item in enumerate(getattr(trace, name)):
            if item.lane not in lanes:
                raise Mismatch(f"{name}[{index}].lane", f"there is no lane {item.lane}")
            known = item.frames if name == "samples" else (item.place,)
            if any(place is not None and place not in places for place in known):
                raise Mismatch(f"{name}[{index}]", "it names a place that is not there")


def _broken(problem: str, where: str) -> FreeloopError:
    return FreeloopError(
        "broken-trace", what=f"this trace cannot be read: {problem}", where=where, mend=AGAIN
    )
