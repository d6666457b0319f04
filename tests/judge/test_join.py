"""The join: findings by reading with what was seen by running."""

from __future__ import annotations

from dataclasses import replace

from freeloop.judge.join import Observation, join
from freeloop.model.finding import Certainty, Finding, FindingClass, Findings, Guard, Step
from freeloop.model.verdict import Basis

CAUSE = Finding(
    rule="FL101",
    name="blocking-call",
    class_=FindingClass.STALL,
    path="shop/rates.py",
    line=12,
    end_line=14,
    message="requests.get holds the event loop",
    chain=(
        Step("shop/views.py", 41, "shop.views.checkout", "price_of"),
        Step("shop/rates.py", 12, "shop.rates.price_of", "requests.get"),
    ),
)
OTHER = replace(CAUSE, path="shop/files.py", line=3, end_line=3, chain=())


def seen(*places: tuple[str, int], ms: float = 50.0) -> Observation:
    """An observation of a stack, innermost first."""
    steps = tuple(Step(path, line, "f", "requests.get") for path, line in places)
    return Observation(steps, ms, Basis.MEASURED, "requests.get", "/checkout/")


def test_a_cause_that_was_seen_gets_its_cost_and_comes_first() -> None:
    """Any line of the call counts, and the file may be named from elsewhere."""
    [first, second] = join(
        Findings((OTHER, CAUSE)), [seen(("/srv/app/shop/rates.py", 13), ("shop/views.py", 41))]
    ).findings

    assert first.path == "shop/rates.py"
    assert (first.cost_ms, first.basis) == (50.0, Basis.MEASURED)
    assert first.certainty is Certainty.OBSERVED
    assert first.fingerprint == CAUSE.fingerprint
    assert second == OTHER


def test_a_cause_inside_a_library_is_known_by_the_line_that_leads_to_it() -> None:
    """A sample may only show the caller's line."""
    [finding] = join(Findings((CAUSE,)), [seen(("shop/views.py", 41))]).findings

    assert finding.certainty is Certainty.OBSERVED


def test_what_only_running_showed_is_added() -> None:
    """Reading cannot see everything; the list must not hide what did happen."""
    found = join(Findings((CAUSE,)), [seen(("shop/views.py", 99), ms=80.0)]).findings

    assert [(each.rule, each.line, each.cost_ms) for each in found] == [
        ("FL100", 99, 80.0),
        ("FL101", 12, None),
    ]
    assert found[1] == CAUSE


def test_a_rare_finding_that_was_seen_is_shown() -> None:
    """It did happen: what stands before it is no excuse."""
    rare = replace(CAUSE, guard=Guard.RARE, rooted=False)

    [finding] = join(Findings((rare,)), [seen(("shop/rates.py", 12))]).findings

    assert rare.folded
    assert not finding.folded


def test_a_file_of_a_similar_name_is_another_file() -> None:
    """`more_rates.py` is not `rates.py`."""
    found = join(Findings((CAUSE,)), [seen(("shop/more_rates.py", 12))]).findings

    assert CAUSE in found
