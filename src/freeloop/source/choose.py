"""From the arguments of `freeloop bench` to a plan: one view, two twins, two arms, or a file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from freeloop.errors import FreeloopError
from freeloop.model.plan import DEFAULT_CONCURRENCY, Pair, Plan, Question, Side
from freeloop.model.request import RequestSpec
from freeloop.source.arms import default_pair, pair_of, parse_arm, rewrite_pair
from freeloop.source.plan import read_plan
from freeloop.source.requests import parse_target, read_requests


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed.

    Attributes:
        target: A path, a view name, or the name of a request in `requests_file`.
        pair: Two of them, old and new.
        sides: The arms of `--a` and `--b`.
        plan_file: A plan.
        requests_file: Requests that may be named.
        only: Pairs or races of the plan to run; empty for all.
        neighbour: A light request beside both sides.
        user: Whose session is sent with every request.
        concurrency: Requests in flight; None for the default or the plan's own.
    """

    target: str | None = None
    pair: tuple[str, str] | None = None
    sides: tuple[str | None, str | None] = (None, None)
    plan_file: Path | None = None
    requests_file: Path | None = None
    only: tuple[str, ...] = ()
    neighbour: str | None = None
    user: str | None = None
    concurrency: tuple[int, ...] | None = None


def choose_plan(asked: Asked) -> Plan:
    """Return the plan that the arguments describe.

    Raises:
        FreeloopError: "nothing-to-bench", "two-ways" or "half-a-pair" when they contradict one
            another, "no-such-pair" for `--only`, and those of the readers.
    """
    _one_way(asked)
    if asked.plan_file is not None:
        return _from_file(asked.plan_file, asked)
    known = (
        {each.name: each for each in read_requests(asked.requests_file)}
        if asked.requests_file
        else {}
    )

    def request(text: str) -> RequestSpec:
        found = known.get(text) or parse_target(text)
        return replace(found, user=found.user or asked.user)

    concurrency = asked.concurrency or DEFAULT_CONCURRENCY
    beside = request(asked.neighbour) if asked.neighbour else None
    if asked.pair is not None:
        old, new = (request(text) for text in asked.pair)
        return Plan((rewrite_pair(old, new, concurrency=concurrency, neighbour=beside),))
    if asked.sides[0] is not None and asked.sides[1] is not None:
        a, b = (
            _side(text, where, known, asked.user)
            for text, where in zip(asked.sides, ("--a", "--b"), strict=True)
            if text
        )
        return Plan((pair_of(a, b, concurrency=concurrency, neighbour=beside),))
    requests = [request(asked.target)] if asked.target else [request(name) for name in known]
    return Plan(
        tuple(default_pair(each, concurrency=concurrency, neighbour=beside) for each in requests)
    )


def against_itself(plan: Plan) -> Plan:
    """Return an A/A plan: every side of the pairs against itself, so that no difference exists."""
    sides = {
        (side.arm.name, side.request.name): (side, pair.concurrency)
        for pair in plan.pairs
        for side in (pair.a, pair.b)
    }
    return Plan(
        tuple(
            Pair(f"{arm} {request}", Question.SETTING, side, side, concurrency)
            for (arm, request), (side, concurrency) in sides.items()
        )
    )


def _side(text: str, where: str, known: Mapping[str, RequestSpec], user: str | None) -> Side:
    side = parse_arm(text, where=where)
    found = known.get(side.request.name, side.request)
    return replace(side, request=replace(found, user=found.user or user))


def _one_way(asked: Asked) -> None:
    ways = {
        "TARGET": asked.target is not None,
        "--pair": asked.pair is not None,
        "--a and --b": any(asked.sides),
        "--plan": asked.plan_file is not None,
    }
    given = [name for name, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise FreeloopError(
            "two-ways",
            what=f"{' and '.join(given)} exclude one another",
            where="the command line",
            mend="give one of them",
        )
    if any(asked.sides) and not all(asked.sides):
        raise FreeloopError(
            "half-a-pair",
            what="--a and --b belong together",
            where="the command line",
            mend="give both, such as --a 'gunicorn:gthread threads=4 /old/' --b 'uvicorn /new/'",
        )
    if not given and asked.requests_file is None:
        raise FreeloopError(
            "nothing-to-bench",
            what="nothing is named to bench",
            where="the command line",
            mend="give a path or view name (freeloop bench /reports/), --pair, --a and --b, "
            "--requests or --plan",
        )
    if asked.plan_file is not None and (asked.neighbour or asked.user or asked.requests_file):
        raise FreeloopError(
            "two-ways",
            what="a plan names its own neighbours, users and requests",
            where="the command line",
            mend="write them into the plan",
        )
    if asked.only and asked.plan_file is None:
        raise FreeloopError(
            "two-ways",
            what="--only picks from a plan",
            where="the command line",
            mend="add --plan FILE",
        )


def _from_file(file: Path, asked: Asked) -> Plan:
    plan = read_plan(file)
    ids = [pair.id for pair in plan.pairs] + [race.id for race in plan.races]
    for wanted in asked.only:
        if wanted not in ids:
            near = difflib.get_close_matches(wanted, ids, n=1)
            raise FreeloopError(
                "no-such-pair",
                what=f"the plan has no pair or race {wanted!r}",
                where=str(file),
                mend=f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(ids)}",
            )

    def wanted_pair(pair: Pair) -> Pair:
        return replace(pair, concurrency=asked.concurrency) if asked.concurrency else pair

    return Plan(
        tuple(wanted_pair(pair) for pair in plan.pairs if not asked.only or pair.id in asked.only),
        tuple(race for race in plan.races if not asked.only or race.id in asked.only),
    )
