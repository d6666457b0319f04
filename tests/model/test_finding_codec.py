"""Findings go to JSON and come back the same."""

from __future__ import annotations

import json

import pytest

from freeloop.errors import FreeloopError
from freeloop.model.finding import (
    Certainty,
    Edit,
    Finding,
    FindingClass,
    Findings,
    Fix,
    Guard,
    Place,
    Safety,
    Step,
    Unread,
    fingerprint,
)
from freeloop.model.finding_codec import decode_findings, encode_findings
from freeloop.model.verdict import Basis

FOUND = Findings(
    findings=(
        Finding(
            rule="FL101",
            name="blocking-call",
            class_=FindingClass.STALL,
            path="shop/rates.py",
            line=12,
            end_line=13,
            message="requests.get holds the event loop",
            entry="async view checkout, /checkout/",
            also=(Place("shop/views.py", 60, "async view basket"),),
            chain=(Step("shop/views.py", 41, "shop.views.checkout", "price_of"),),
            certainty=Certainty.CERTAIN,
            guard=Guard.BRANCH,
            subject="requests.get",
            kind="net",
            cost_ms=212.5,
            basis=Basis.MEASURED,
            fix=Fix("await ...", Safety.SAFE, (Edit("shop/rates.py", 12, 4, 12, 9, "await "),)),
            fingerprint="0" * 16,
        ),
        Finding("FL501", "missing-await", FindingClass.CRASH, "a.py", 1, "never awaited"),
    ),
    files=2,
    entries=3,
    unread=(Unread("old.py", 3, "Missing parentheses in call to 'print'"),),
    suppressed=1,
    notes=("no settings",),
    environment={"settings": "shop.settings"},
)


def test_findings_come_back_from_json_as_they_were() -> None:
    """Another face, or a colleague's machine, must see the same list."""
    text = json.dumps(encode_findings(FOUND), allow_nan=False)

    assert decode_findings(json.loads(text)) == FOUND


def test_the_class_of_a_finding_is_called_class() -> None:
    """The underscore is Python's need, not the reader's."""
    results = encode_findings(FOUND)["results"]

    assert isinstance(results, list)
    assert isinstance(results[0], dict)
    assert results[0]["class"] == "stall"
    assert "class_" not in results[0]


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"schema": "freeloop.findings/2"}, "unknown-schema"),
        ({"results": [{"rule": "FL101"}]}, "broken-findings"),
        ({"results": [7]}, "broken-findings"),
    ],
)
def test_a_file_of_another_shape_is_refused(change: dict[str, object], slug: str) -> None:
    """Half a list read as a whole one would look clean."""
    with pytest.raises(FreeloopError) as caught:
        decode_findings({**encode_findings(FOUND), **change}, "found.json")

    assert caught.value.slug == slug
    assert "found.json" in caught.value.where


def test_a_fingerprint_stays_when_lines_move_and_spaces_change() -> None:
    """A baseline must survive the edit of another line."""
    first = fingerprint("FL101", cause="a.helper", line_text="  requests.get( x)")
    moved = fingerprint("FL101", cause="a.helper", line_text="requests.get( x) ")
    other = fingerprint("FL101", cause="a.helper", line_text="requests.put(x)")

    assert first == moved
    assert first != other
