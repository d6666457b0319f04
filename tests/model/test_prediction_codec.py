"""A prediction as JSON: nothing is lost, and another kind of file is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from freeloop.errors import FreeloopError
from freeloop.model.prediction_codec import decode_prediction, dump_prediction
from freeloop.model.trace import TraceEnvironment
from tests.render.sample_predictions import sample

ENVIRONMENT = TraceEnvironment("2026", {"django": "6.1"}, 2, (), (), 900)


def test_a_prediction_comes_back_from_its_json() -> None:
    """No upper end is null in the file, and so not known when it is read: compare the files."""
    text = dump_prediction(sample(), ENVIRONMENT)

    assert dump_prediction(decode_prediction(json.loads(text)), ENVIRONMENT) == text


def test_the_file_says_what_it_is_and_where_it_was_made() -> None:
    top = json.loads(dump_prediction(sample(), ENVIRONMENT))

    assert top["schema"] == "freeloop.prediction/1"
    assert top["environment"]["versions"] == {"django": "6.1"}


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        ([], "unknown-schema"),
        ({"schema": "freeloop.run/1"}, "unknown-schema"),
        ({"schema": "freeloop.prediction/1"}, "broken-prediction"),
        ({"schema": "freeloop.prediction/1", "results": []}, "broken-prediction"),
        ({"schema": "freeloop.prediction/1", "results": [{"path": 3}]}, "broken-prediction"),
    ],
)
def test_what_is_no_prediction_is_refused(data: Any, slug: str) -> None:
    with pytest.raises(FreeloopError) as raised:
        decode_prediction(data)

    assert raised.value.slug == slug
