"""Numbered JSON for findings: `freeloop.findings/1`, the first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from freeloop import __version__
from freeloop.errors import FreeloopError
from freeloop.model.finding import Finding, Findings, Unread
from freeloop.model.structure import Json, Mismatch, from_plain, to_plain

FINDINGS_SCHEMA = "freeloop.findings/1"


def encode_findings(found: Findings) -> dict[str, Json]:
    """Return the findings as JSON values; `decode_findings` gives the same back."""
    return {
        "schema": FINDINGS_SCHEMA,
        "tool": __version__,
        "environment": to_plain(found.environment),
        "results": [_encode(finding) for finding in found.findings],
        "files": found.files,
        "entries": found.entries,
        "unread": [to_plain(each) for each in found.unread],
        "suppressed": found.suppressed,
        "ignored": found.ignored,
        "known": found.known,
        "gone": list(found.gone),
        "notes": list(found.notes),
    }


def decode_findings(data: object, where: str = "") -> Findings:
    """Return the findings that the JSON values describe.

    Args:
        data: What `json.loads` gave.
        where: File name for the error message.

    Raises:
        FreeloopError: `unknown-schema` for another kind or number, `broken-findings` for a file
            whose parts do not fit.
    """
    try:
        top = _object(data)
        _check_schema(top, where)
        empty = from_plain(Findings, {**top, "findings": [], "unread": []})
        return Findings(
            findings=tuple(
                from_plain(Finding, _with_class(item), f"results[{index}]")
                for index, item in enumerate(top.get("results") or ())
            ),
            files=empty.files,
            entries=empty.entries,
            unread=tuple(
                from_plain(Unread, item, f"unread[{index}]")
                for index, item in enumerate(top.get("unread") or ())
            ),
            suppressed=empty.suppressed,
            ignored=empty.ignored,
            known=empty.known,
            gone=empty.gone,
            notes=empty.notes,
            environment=empty.environment,
        )
    except Mismatch as problem:
        raise FreeloopError(
            "broken-findings",
            what=f"these findings cannot be read: {problem.problem}",
            where=f"{where}: {problem.place}" if where else problem.place,
            mend="write them again: freeloop check --format json > FILE",
        ) from problem


def read_findings(path: Path) -> Findings:
    """Return the findings in a JSON file.

    Raises:
        FreeloopError: `broken-findings`, or as `decode_findings`.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise FreeloopError(
            "broken-findings",
            what="this file of findings cannot be read",
            where=f"{path}: {problem}",
            mend="write it again: freeloop check --format json > FILE",
        ) from problem
    return decode_findings(data, str(path))


def _encode(finding: Finding) -> dict[str, Json]:
    plain = cast("dict[str, Json]", to_plain(finding))
    # `class` is a word of Python's, but the right one for a reader of JSON.
    return {key.removesuffix("_"): value for key, value in plain.items()}


def _with_class(item: object) -> object:
    if isinstance(item, Mapping) and "class" in item:
        return {**item, "class_": item["class"]}
    return item


def _object(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise Mismatch("file", f"expected an object, found {type(data).__name__}")
    return data


def _check_schema(top: Mapping[str, object], where: str) -> None:
    schema = top.get("schema")
    if schema == FINDINGS_SCHEMA:
        return
    raise FreeloopError(
        "unknown-schema",
        what=f"this freeloop reads {FINDINGS_SCHEMA}, the file says {schema!r}",
        where=where or "schema",
        mend="read it with the freeloop named under `tool` in the file, or run the check again",
    )
