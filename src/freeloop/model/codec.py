"""Numbered JSON for runs: a run from a file is judged and drawn as a live one.

Numbers and their history: `freeloop.run/1`, the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from freeloop import __version__
from freeloop.errors import FreeloopError
from freeloop.model.run import Environment, PairResult, RaceResult, Run, SideResult
from freeloop.model.structure import Json, Mismatch, from_plain, to_plain

RUN_SCHEMA = "freeloop.run/1"


def encode_run(run: Run) -> dict[str, Json]:
    """Return the run as JSON values; `decode_run` gives the same run back.

    Each result repeats no number: the verdict lies flat at its top, what the agent observed
    under `observed`, and all else under the sides `a` and `b`.
    """
    return {
        "schema": RUN_SCHEMA,
        "tool": __version__,
        "environment": to_plain(run.environment),
        "results": [_encode_pair(result) for result in run.pairs],
        "races": [to_plain(race) for race in run.races],
        "notes": list(run.notes),
        "refused": list(run.refused),
        "complete": run.complete,
    }


def decode_run(data: object, where: str = "") -> Run:
    """Return the run that the JSON values describe.

    Args:
        data: What `json.loads` gave.
        where: File name for the error message.

    Raises:
        FreeloopError: `unknown-schema` for another kind or number, `broken-run` for a file
            whose parts do not fit.
    """
    try:
        top = _object(data, "file")
        _check_schema(top, where)
        return Run(
            environment=from_plain(Environment, top.get("environment"), "environment"),
            pairs=tuple(
                _decode_pair(item, f"results[{index}]")
                for index, item in enumerate(_list(top, "results"))
            ),
            races=tuple(
                from_plain(RaceResult, item, f"races[{index}]")
                for index, item in enumerate(_list(top, "races"))
            ),
            notes=tuple(str(note) for note in _list(top, "notes")),
            complete=top.get("complete") is True,
            refused=tuple(str(each) for each in _list(top, "refused")),
        )
    except Mismatch as problem:
        place = problem.place.replace(".verdict", "").replace(".effect", "")  # flat in the file
        raise FreeloopError(
            "broken-run",
            what=f"this run cannot be read: {problem.problem}",
            where=f"{where}: {place}" if where else place,
            mend="write it again: freeloop bench ... --format json > FILE",
        ) from problem


def read_run(path: Path) -> Run:
    """Return the run in a JSON file.

    Raises:
        FreeloopError: `no-run-file`, or as `decode_run`.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise FreeloopError(
            "no-run-file",
            what="the file of the run cannot be read",
            where=f"{path}: {problem.strerror}",
            mend="give a file that `freeloop bench --format json` wrote",
        ) from problem
    except ValueError as problem:
        raise FreeloopError(
            "broken-run",
            what="this file is not JSON",
            where=f"{path}: {problem}",
            mend="write it again: freeloop bench ... --format json > FILE",
        ) from problem
    return decode_run(data, str(path))


def _encode_pair(result: PairResult) -> dict[str, Json]:
    verdict = result.verdict
    effect = verdict.effect
    a, b = _encode_side(result.a), _encode_side(result.b)
    return {
        "pair": result.pair,
        "question": result.question.value,
        "concurrency": result.concurrency,
        "answer": verdict.answer.value,
        "ratio": to_plain(effect.ratio) if effect else None,
        "low": to_plain(effect.low) if effect else None,
        "high": to_plain(effect.high) if effect else None,
        "level": to_plain(effect.level) if effect else None,
        "basis": verdict.basis.value,
        "cause": verdict.cause.value,
        "evidence": list(verdict.evidence),
        "missing": verdict.missing,
        "rounds": verdict.rounds,
        "observed": {"a": a.pop("observed"), "b": b.pop("observed")},
        "a": a,
        "b": b,
    }


def _encode_side(side: SideResult) -> dict[str, Json]:
    return cast("dict[str, Json]", to_plain(side))


def _decode_pair(data: object, place: str) -> PairResult:
    item = _object(data, place)
    observed = _object(item.get("observed") or {}, f"{place}.observed")
    effect = item if item.get("ratio") is not None else None
    # The verdict, and in it the effect, lie flat in the result: read each from the same object.
    nested: dict[str, object] = {**item, "verdict": {**item, "effect": effect}}
    for name in ("a", "b"):
        side = _object(item.get(name), f"{place}.{name}")
        nested[name] = {**side, "observed": observed.get(name)}
    return from_plain(PairResult, nested, place)


def _check_schema(top: Mapping[str, object], where: str) -> None:
    schema = top.get("schema")
    if schema == RUN_SCHEMA:
        return
    raise FreeloopError(
        "unknown-schema",
        what=f"this freeloop reads {RUN_SCHEMA}, the file says {schema!r}",
        where=where or "schema",
        mend="read it with the freeloop named under `tool` in the file, or run the bench again",
    )


def _object(data: object, place: str) -> Mapping[str, object]:
    if not isinstance(data, Mapping):
        raise Mismatch(place, f"expected an object, found {type(data).__name__}")
    return data


def _list(top: Mapping[str, object], key: str) -> list[object]:
    data = top.get(key, [])
    if not isinstance(data, list):
        raise Mismatch(key, f"expected a list, found {type(data).__name__}")
    return data
