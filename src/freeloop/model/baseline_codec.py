"""The file of a baseline: `freeloop.baseline/1`, one line for each entry, so that it diffs well."""

from __future__ import annotations

import json
from pathlib import Path

from freeloop.errors import FreeloopError
from freeloop.model.baseline import Baseline, Known
from freeloop.model.structure import Mismatch, from_plain, to_plain

BASELINE_SCHEMA = "freeloop.baseline/1"


def baseline_text(baseline: Baseline) -> str:
    """Return the file; without a version of freeloop or a date, which would change every time."""
    lines = [json.dumps(to_plain(entry), ensure_ascii=False) for entry in baseline]
    listed = ",\n".join(f"    {line}" for line in lines)
    known = f"[\n{listed}\n  ]" if lines else "[]"
    return f'{{\n  "schema": "{BASELINE_SCHEMA}",\n  "known": {known}\n}}\n'


def read_baseline(path: Path) -> Baseline:
    """Return the entries of a file.

    Raises:
        FreeloopError: `no-baseline`, `broken-baseline`, or `unknown-schema`.
    """
    again = f"write it: freeloop check --write-baseline {path}"
    try:
        schema, known = _parts(json.loads(path.read_text(encoding="utf-8")))
        if schema == BASELINE_SCHEMA:
            return _entries(known)
    except OSError as problem:
        raise FreeloopError(
            "no-baseline",
            what=f"the baseline cannot be read: {problem.strerror}",
            where=str(path),
            mend=again,
        ) from problem
    except (ValueError, Mismatch) as problem:
        raise FreeloopError(
            "broken-baseline",
            what=f"the baseline is not as freeloop writes it: {problem}",
            where=str(path),
            mend=again,
        ) from problem
    raise FreeloopError(
        "unknown-schema",
        what=f"this freeloop reads {BASELINE_SCHEMA}, the file says {schema!r}",
        where=str(path),
        mend=again,
    )


def _parts(data: object) -> tuple[object, object]:
    if not isinstance(data, dict):
        raise Mismatch("file", "expected an object")
    return data.get("schema"), data.get("known")


def _entries(known: object) -> Baseline:
    if not isinstance(known, list):
        raise Mismatch("known", "expected a list")
    return tuple(from_plain(Known, each, f"known[{index}]") for index, each in enumerate(known))
