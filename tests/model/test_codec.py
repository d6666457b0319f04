"""A run survives its JSON, and a file that is not a run is refused in words."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freeloop.errors import FreeloopError
from freeloop.model.codec import decode_run, encode_run, read_run
from freeloop.model.plan import Arm
from freeloop.model.run import Environment, Quantiles, Round, Run
from freeloop.model.structure import from_plain, to_plain
from tests.render.sample_runs import HELPS

numbers = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=12)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)

st.register_type_strategy(float, numbers)
st.register_type_strategy(str, words)

arms = st.builds(
    Arm,
    name=words,
    server=words,
    workers=st.integers(),
    threads=st.none() | st.integers(),
    settings=st.dictionaries(words, plain, max_size=3),
    relief=st.none() | st.booleans(),
)
st.register_type_strategy(Arm, arms)
runs = st.from_type(Run)


@given(run=runs)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_run_comes_back_from_its_json_unchanged(run: Run) -> None:
    """A file, a colleague's machine and a live run must be drawn alike, to the last round."""
    text = json.dumps(encode_run(run), allow_nan=False)

    assert decode_run(json.loads(text)) == run


def test_a_number_that_is_not_known_stays_not_known() -> None:
    """JSON has no NaN; a round without a right answer has no latency, and never latency zero."""
    empty = Quantiles(math.nan, math.nan, math.nan)
    lost = Round(1.0, 0, 9, math.nan, None, 0.1, empty, None, None, 3, 1)

    text = json.dumps(to_plain(lost), allow_nan=False)
    back = from_plain(Round, json.loads(text))

    assert math.isnan(back.latency.p50)
    assert math.isnan(back.cpu_ms)
    assert back.failed == 9


def test_a_result_says_its_verdict_at_its_top() -> None:
    """Scripts read these names; they are the contract of `freeloop.run/1`."""
    data = encode_run(HELPS)
    result = cast("list[dict[str, object]]", data["results"])[0]

    assert data["schema"] == "freeloop.run/1"
    assert set(data) >= {"schema", "tool", "environment", "results"}
    assert set(result) >= {
        "pair", "question", "concurrency", "answer", "ratio", "low", "high", "basis", "cause",
        "rounds", "observed",
    }  # fmt: skip
    assert result["ratio"] == 3.1
    assert set(cast("dict[str, object]", result["observed"])) == {"a", "b"}


@pytest.mark.parametrize("schema", ["freeloop.run/2", "freeloop.trace/1", None, 1])
def test_another_schema_is_refused_with_both_names(schema: object) -> None:
    """Guessing at an unknown number would draw wrong figures."""
    with pytest.raises(FreeloopError) as caught:
        decode_run({"schema": schema}, "run.json")

    assert caught.value.slug == "unknown-schema"
    assert repr(schema) in caught.value.what
    assert "freeloop.run/1" in caught.value.what


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (("results", 0, "a", "closed", "rounds", 1, "cpu_ms", "fast"),
         "results[0].a.closed.rounds[1].cpu_ms"),
        (("results", 0, "answer", "perhaps"), "results[0].answer"),
        (("results", 0, "concurrency", True), "results[0].concurrency"),
        (("environment", "cores", None), "environment.cores"),
        (("results", 3), "results"),
        (("results", 0, "b", []), "results[0].b"),
    ],
)  # fmt: skip
def test_a_broken_file_names_the_broken_place(spoil: tuple[object, ...], place: str) -> None:
    """Somebody edited or cut the file: the message must lead to the spot."""
    data = json.loads(json.dumps(encode_run(HELPS)))
    target = data
    for key in spoil[:-2]:
        target = target[key]
    target[spoil[-2]] = spoil[-1]

    with pytest.raises(FreeloopError) as caught:
        decode_run(data, "run.json")

    assert caught.value.slug == "broken-run"
    assert caught.value.where == f"run.json: {place}"


@pytest.mark.parametrize(
    ("content", "slug"), [("", "broken-run"), ("[]", "broken-run"), (None, "no-run-file")]
)
def test_a_file_that_is_not_a_run_is_refused(
    tmp_path: Path, content: str | None, slug: str
) -> None:
    """Empty, another JSON, not there: each an error in words, never a traceback."""
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(FreeloopError) as caught:
        read_run(path)

    assert caught.value.slug == slug


def test_a_newer_field_does_not_stop_an_older_reader() -> None:
    """Within one number fields may be added."""
    environment = Environment("1", "", "", {}, "", 2)
    data = encode_run(Run(environment))
    data["mood"] = "good"

    assert decode_run(data) == Run(environment)
