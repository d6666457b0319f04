"""Numbered JSON for predictions: what programs read of `freeloop trace --predict`.

Numbers and their history: `freeloop.prediction/1`, the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from freeloop import __version__
from freeloop.errors import FreeloopError
from freeloop.model.prediction import Prediction
from freeloop.model.structure import Json, Mismatch, from_plain, to_plain
from freeloop.model.trace import TraceEnvironment

PREDICTION_SCHEMA = "freeloop.prediction/1"


def encode_prediction(prediction: Prediction, environment: TraceEnvironment) -> dict[str, Json]:
    """Return the prediction as JSON values; `decode_prediction` gives the same one back.

    Rates are requests per second, all times milliseconds. What a forecast says is predicted; the
    bursts under `measured` are measured.
    """
    return {
        "schema": PREDICTION_SCHEMA,
        "tool": __version__,
        "environment": to_plain(environment),
        "results": [to_plain(prediction)],
    }


def decode_prediction(data: object) -> Prediction:
    """Return the prediction that the JSON values describe.

    Raises:
        FreeloopError: `unknown-schema` for another kind or number, `broken-prediction` for a
            file whose parts do not fit.
    """
    top = data if isinstance(data, Mapping) else {}
    if top.get("schema") != PREDICTION_SCHEMA:
        raise FreeloopError(
            "unknown-schema",
            what=f"this freeloop reads {PREDICTION_SCHEMA}, the file says {top.get('schema')!r}",
            where="schema",
            mend="read it with the freeloop named under `tool` in the file, or predict again",
        )
    results = top.get("results")
    only = results[0] if isinstance(results, list) and len(results) == 1 else None
    try:
        return from_plain(Prediction, only, "results[0]")
    except Mismatch as problem:
        raise FreeloopError(
            "broken-prediction",
            what=f"this prediction cannot be read: {problem.problem}",
            where=problem.place,
            mend="write it again: freeloop trace ... --predict --format json > FILE",
        ) from problem


def dump_prediction(prediction: Prediction, environment: TraceEnvironment) -> str:
    """Return the prediction as the text of a file."""
    encoded = encode_prediction(prediction, environment)
    return json.dumps(encoded, allow_nan=False, ensure_ascii=False)
