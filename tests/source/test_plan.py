"""Plan files: a whole one is read, and every mistake in one is named with its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from freeloop.model.plan import DEFAULT_CONCURRENCY, Arm, Plan, Question
from freeloop.source.plan import read_plan
from tests.source.conftest import error_of

START = """
format = 1
[[request]]
name = "old"
url = "/old/"
[[request]]
name = "new"
view = "new"
[arms.threads]
server = "gunicorn:gthread"
threads = 16
settings = {DEBUG = false, CACHES = {default = {BACKEND = "x"}}}
[arms.loop]
server = "uvicorn"
workers = 2
"""
PAIR = """
[[pair]]
id = "wait"
a = ["threads", "old"]
b = ["loop", "new"]
"""
RACE = """
[[race]]
id = "burst"
burst = 20
sides = [["threads", "old"], ["loop", "new"], ["loop", "old"]]
"""


def plan_of(directory: Path, text: str) -> Plan:
    """Write a plan and read it."""
    file = directory / "plan.toml"
    file.write_text(text)
    return read_plan(file)


def test_a_whole_plan_is_read(tmp_path: Path) -> None:
    """Arms and requests are found by their names."""
    more = 'question = "rewrite"\nconcurrency = [50, 200]\nneighbour = "old"\n'

    plan = plan_of(tmp_path, START + PAIR + more + RACE)

    (pair,), (race,) = plan.pairs, plan.races
    settings = {"DEBUG": False, "CACHES": {"default": {"BACKEND": "x"}}}
    assert pair.a.arm == Arm("threads", "gunicorn:gthread", 1, 16, settings)
    assert pair.b.arm == Arm("loop", "uvicorn", 2)
    assert (pair.question, pair.concurrency) == (Question.REWRITE, (50, 200))
    assert pair.neighbour == pair.a.request
    assert pair.b.request.view == "new"
    assert (race.burst, [side.arm.name for side in race.sides]) == (20, ["threads", "loop", "loop"])


def test_relief_is_a_setting_of_an_arm(tmp_path: Path) -> None:
    """Stock and relieved, all else equal."""
    arm = '[arms.relieved]\nserver = "uvicorn"\nworkers = 2\nrelief = true\n'
    pair = '[[pair]]\nid = "old"\na = ["loop", "old"]\nb = ["relieved", "old"]\n'

    plan = plan_of(tmp_path, START + arm + pair)

    assert plan.pairs[0].b.arm == Arm("relieved", "uvicorn", 2, relief=True)
    assert plan.pairs[0].a.arm.relief is None
    assert plan.pairs[0].question is Question.SETTING


def test_question_and_concurrency_have_defaults(tmp_path: Path) -> None:
    """The sides tell the question."""
    (pair,) = plan_of(tmp_path, START + PAIR).pairs

    assert (pair.question, pair.concurrency) == (Question.REWRITE, DEFAULT_CONCURRENCY)


@pytest.mark.parametrize(
    ("text", "slug", "where", "says"),
    [
        (START, "empty-plan", "plan.toml", "[[pair]]"),
        (START + PAIR + "[[pairs]]", "unknown-key", "pairs", "pair?"),
        (START + PAIR + "arm = 1", "unknown-key", "pair[0].arm", "known:"),
        (START + "thread = 1", "unknown-key", "arms.loop.thread", "threads?"),
        (START + "[arms.x]\nserver = 'uvcorn'", "unknown-server", "arms.x.server", "uvicorn?"),
        (START + "[arms.x]\nworkers = 1", "missing-key", "arms.x.server", "server"),
        (START + "[arms]\nx = 1", "wrong-type", "arms.x", "not 1"),
        (START + "[arms.loop]", "toml-syntax", "plan.toml", "line"),
        (START + "[arms.x]\nserver = 'uvicorn'\nworkers = 0", "wrong-type", "x.workers", "not 0"),
        (START + "settings = {debug = true}", "bad-setting", "loop.settings.debug", "DEBUG"),
        (START + PAIR.replace('"loop"', '"lop"'), "unknown-arm", "pair[0].b", "loop?"),
        (START + PAIR.replace('"new"', '"nw"'), "unknown-request", "pair[0].b", "new?"),
        (START + PAIR.replace('["loop", "new"]', '"loop"'), "wrong-type", "pair[0].b", "'loop'"),
        (START + PAIR + 'neighbour = "nix"', "unknown-request", "pair[0].neighbour", "nix"),
        (START + PAIR + "concurrency = [0]", "wrong-type", "pair[0].concurrency", "not [0]"),
        (START + PAIR + "concurrency = []", "wrong-type", "pair[0].concurrency", "not []"),
        (START + PAIR + "concurrency = [5, 5]", "wrong-type", "concurrency", "different"),
        (START + PAIR + "concurrency = [true]", "wrong-type", "pair[0].concurrency", "True"),
        (START + PAIR + "concurrency = 50", "wrong-type", "pair[0].concurrency", "not 50"),
        (START + PAIR + 'question = "rewrit"', "unknown-word", "pair[0].question", "rewrite?"),
        (START + PAIR + 'question = "serve"', "wrong-question", "pair[0].question", "different"),
        (START + PAIR.replace('"wait"', '""'), "missing-key", "pair[0].id", "id"),
        (START + PAIR + PAIR, "duplicate-name", "pair", "wait"),
        (START + RACE + RACE, "duplicate-name", "race", "burst"),
        (START + RACE.replace("burst = 20", ""), "missing-key", "race[0].burst", "burst"),
        (START + RACE.replace("20", "2.5"), "wrong-type", "race[0].burst", "not 2.5"),
        (START + '[[race]]\nid = "r"\nburst = 2\nsides = [["loop", "new"]]', "wrong-type",
         "race[0].sides", "at least two"),
        (START + RACE.replace('"threads", "old"', '"threads"'), "wrong-type", "sides[0]",
         "arm and a request"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file_and_key(
    tmp_path: Path, text: str, slug: str, where: str, says: str
) -> None:
    """A plan is written by hand, so it is wrong the first time."""
    error = error_of(lambda: plan_of(tmp_path, text))

    assert error.slug == slug
    assert "plan.toml" in error.where
    assert error.where.endswith(where)
    assert says in f"{error.what} {error.mend}"


def test_one_request_twice_is_no_rewrite(tmp_path: Path) -> None:
    """It would say that async helps of a view that nobody rewrote."""
    pair = PAIR.replace('"new"', '"old"') + 'question = "rewrite"'

    error = error_of(lambda: plan_of(tmp_path, START + pair))

    assert error.slug == "wrong-question"
