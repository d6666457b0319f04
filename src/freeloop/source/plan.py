"""Read a plan file: deployments, requests, the pairs and races between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from freeloop.errors import FreeloopError
from freeloop.model.plan import DEFAULT_CONCURRENCY, Arm, Pair, Plan, Question, Race, Side
from freeloop.model.request import RequestSpec
from freeloop.source.arms import SERVERS, known_server, pair_of, relievable
from freeloop.source.fields import Table, nearest, read_table
from freeloop.source.requests import requests_of

QUESTIONS = tuple(question.value for question in Question)
LEAST_RUNNERS = 2


def read_plan(path: Path, *, servers: Collection[str] = SERVERS) -> Plan:
    """Return the plan of a TOML file (`format = 1`).

    Raises:
        FreeloopError: For any mistake in it, with the file and the key.
    """
    document = read_table(path)
    document.only("format", "request", "arms", "pair", "race")
    names = Names(arms_of(document.table("arms"), servers), requests_of(document))
    pairs = tuple(pair_from(table, names) for table in document.tables("pair"))
    races = tuple(race_from(table, names) for table in document.tables("race"))
    if not pairs and not races:
        raise FreeloopError(
            "empty-plan",
            what="the plan compares nothing",
            where=str(path),
            mend='write: [[pair]] and below it id = "...", a = [arm, request], b = [arm, request]',
        )
    refuse_twice(path, "pair", [pair.id for pair in pairs])
    refuse_twice(path, "race", [race.id for race in races])
    return Plan(pairs, races)


@dataclass(frozen=True, slots=True)
class Names:
    """What the sides of a plan may name."""

    arms: Mapping[str, Arm]
    requests: Mapping[str, RequestSpec]

    def arm(self, name: str, where: str) -> Arm:
        """Return the deployment of a name."""
        if name not in self.arms:
            raise FreeloopError(
                "unknown-arm",
                what=f"no arm is named {name!r}",
                where=where,
                mend=f"{nearest(name, self.arms)}; or write [arms.{name}]",
            )
        return self.arms[name]

    def request(self, name: str, where: str) -> RequestSpec:
        """Return the request of a name."""
        if name not in self.requests:
            raise FreeloopError(
                "unknown-request",
                what=f"no request is named {name!r}",
                where=where,
                mend=f'{nearest(name, self.requests)}; or write [[request]] with name = "{name}"',
            )
        return self.requests[name]

    def side(self, value: object, table: Table, key: str) -> Side:
        """Return the side that `[arm, request]` means."""
        match value:
            case [str(arm), str(request)]:
                where = table.at(key)
                return Side(self.arm(arm, where), self.request(request, where))
            case _:
                raise FreeloopError(
                    "wrong-type",
                    what=f"{key} must name an arm and a request, not {value!r}",
                    where=table.at(key),
                    mend='write: ["threads", "list"]',
                )


def arms_of(table: Table, servers: Collection[str]) -> Mapping[str, Arm]:
    """Return `[arms.NAME]` by name."""
    return {name: arm_from(name, table.table(name), servers) for name in table.values}


def arm_from(name: str, table: Table, servers: Collection[str]) -> Arm:
    """Return one deployment."""
    table.only("server", "workers", "threads", "settings", "relief")
    server = table.required_text("server")
    known_server(server, servers, table.at("server"))
    settings = table.table("settings").values
    for key in settings:
        if not key.isupper():
            raise FreeloopError(
                "bad-setting",
                what=f"{key} cannot be a Django setting: their names are in capitals",
                where=table.table("settings").at(key),
                mend=f"write: {key.upper()}",
            )
    relief = table.flag("relief")
    if relief:
        relievable(server, table.at("relief"))
    return Arm(name, server, table.count("workers") or 1, table.count("threads"), settings, relief)


def pair_from(table: Table, names: Names) -> Pair:
    """Return one pair; without `question`, the difference of the sides tells it."""
    table.only("id", "question", "a", "b", "concurrency", "neighbour")
    name = table.required_text("id")
    a = names.side(table.values.get("a"), table, "a")
    b = names.side(table.values.get("b"), table, "b")
    neighbour = table.text("neighbour")
    return Pair(
        id=name,
        question=question_of(table, a, b),
        a=a,
        b=b,
        concurrency=table.counts("concurrency") or DEFAULT_CONCURRENCY,
        neighbour=names.request(neighbour, table.at("neighbour")) if neighbour else None,
    )


def question_of(table: Table, a: Side, b: Side) -> Question:
    """Return the question of a pair; refuse one that its two sides cannot answer."""
    question = Question(table.word("question", QUESTIONS, pair_of(a, b).question.value))
    if (a.request == b.request) == (question is Question.REWRITE):
        same = "one request twice" if a.request == b.request else "two different requests"
        raise FreeloopError(
            "wrong-question",
            what=f"{same} cannot answer the question {question.value}",
            where=table.at("question"),
            mend="rewrite compares two requests; serve and setting keep the request",
        )
    return question


def race_from(table: Table, names: Names) -> Race:
    """Return one race of at least two sides."""
    table.only("id", "burst", "sides")
    name, burst = table.required_text("id"), table.count("burst")
    if burst is None:
        raise FreeloopError(
            "missing-key",
            what="burst is missing",
            where=table.at("burst"),
            mend="write how many requests start together: burst = 20",
        )
    sides = table.values.get("sides")
    if not isinstance(sides, list) or len(sides) < LEAST_RUNNERS:
        raise table.wrong("sides", "a list of at least two sides, each [arm, request]")
    runners = tuple(names.side(side, table, f"sides[{n}]") for n, side in enumerate(sides))
    return Race(name, burst, runners)


def refuse_twice(file: Path, kind: str, ids: list[str]) -> None:
    """Refuse a label that two pairs, or two races, share."""
    for name in ids:
        if ids.count(name) > 1:
            raise FreeloopError(
                "duplicate-name",
                what=f"two {kind}s have the id {name}",
                where=f"{file}: {kind}",
                mend="give each its own id",
            )
