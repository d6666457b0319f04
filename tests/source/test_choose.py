"""What was typed becomes a plan, or one clear refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from freeloop.errors import FreeloopError
from freeloop.model.plan import DEFAULT_CONCURRENCY, Question
from freeloop.source.choose import Asked, against_itself, choose_plan

PLAN = """
format = 1
[arms.threads]
server = "gunicorn:gthread"
[arms.loop]
server = "uvicorn"
[[request]]
name = "old"
url = "/old/"
[[request]]
name = "new"
url = "/new/"
[[pair]]
id = "reports"
a = ["threads", "old"]
b = ["loop", "new"]
concurrency = [3]
[[race]]
id = "burst"
burst = 5
sides = [["threads", "old"], ["loop", "new"]]
"""


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    """Write a plan of one pair and one race."""
    file = tmp_path / "plan.toml"
    file.write_text(PLAN)
    return file


def test_one_view_is_served_both_ways() -> None:
    """A single view asks how to serve it, at the usual concurrencies."""
    (pair,) = choose_plan(Asked(target="/reports/")).pairs

    assert pair.question is Question.SERVE
    assert (pair.a.arm.server, pair.b.arm.server) == ("gunicorn:gthread", "uvicorn")
    assert pair.a.request == pair.b.request
    assert pair.concurrency == DEFAULT_CONCURRENCY


def test_two_twins_are_a_rewrite_and_share_user_and_neighbour() -> None:
    """The session belongs to every request of the run."""
    asked = Asked(pair=("/old/", "/new/"), user="ada", neighbour="/health/", concurrency=(7,))

    (pair,) = choose_plan(asked).pairs

    assert pair.question is Question.REWRITE
    assert pair.concurrency == (7,)
    assert pair.neighbour is not None
    assert {pair.a.request.user, pair.b.request.user, pair.neighbour.user} == {"ada"}


def test_two_arms_ask_what_their_difference_asks() -> None:
    """Threads on one server are a setting."""
    asked = Asked(sides=("gunicorn:gthread threads=4 /x/", "gunicorn:gthread threads=40 /x/"))

    (pair,) = choose_plan(asked).pairs

    assert pair.question is Question.SETTING
    assert (pair.a.arm.threads, pair.b.arm.threads) == (4, 40)


def test_requests_of_a_file_may_be_named(tmp_path: Path) -> None:
    """A name of the file wins over a view of the same name; no name means all of them."""
    file = tmp_path / "requests.toml"
    file.write_text(
        'format = 1\n[[request]]\nname = "list"\nurl = "/a/"\n'
        '[[request]]\nname = "b"\nurl = "/b/"\n'
    )

    named = choose_plan(Asked(target="list", requests_file=file))
    every = choose_plan(Asked(requests_file=file))

    assert [pair.a.request.url for pair in named.pairs] == ["/a/"]
    assert [pair.a.request.url for pair in every.pairs] == ["/a/", "/b/"]


def test_only_picks_from_a_plan(plan_file: Path) -> None:
    """Pairs and races share one space of ids."""
    picked = choose_plan(Asked(plan_file=plan_file, only=("burst",), concurrency=None))
    narrowed = choose_plan(Asked(plan_file=plan_file, only=("reports",), concurrency=(9,)))

    assert ([race.id for race in picked.races], picked.pairs) == (["burst"], ())
    assert narrowed.pairs[0].concurrency == (9,)


def test_against_itself_leaves_no_difference(plan_file: Path) -> None:
    """In an A/A plan every found difference is false."""
    pairs = against_itself(choose_plan(Asked(plan_file=plan_file))).pairs

    assert [pair.id for pair in pairs] == ["threads old", "loop new"]
    assert all(pair.a == pair.b and pair.question is Question.SETTING for pair in pairs)


@pytest.mark.parametrize(
    ("asked", "slug"),
    [
        (Asked(), "nothing-to-bench"),
        (Asked(target="/x/", pair=("/a/", "/b/")), "two-ways"),
        (Asked(sides=("uvicorn /x/", None)), "half-a-pair"),
        (Asked(target="/x/", only=("y",)), "two-ways"),
        (Asked(plan_file=Path("x.toml"), user="ada"), "two-ways"),
    ],
)
def test_what_contradicts_itself_is_refused(asked: Asked, slug: str) -> None:
    """Guessing which of two was meant would measure the wrong thing for minutes."""
    with pytest.raises(FreeloopError) as refused:
        choose_plan(asked)

    assert refused.value.slug == slug


def test_an_unknown_pair_names_the_nearest(plan_file: Path) -> None:
    """Ids are typed by hand."""
    with pytest.raises(FreeloopError) as refused:
        choose_plan(Asked(plan_file=plan_file, only=("report",)))

    assert refused.value.slug == "no-such-pair"
    assert "'reports'" in refused.value.mend
